/** Which instruction a builder stopped at, from what it said: each of them tells it in its own way. */
import type { Written, WrittenInstruction } from '../../image/written.ts'

/** null: nothing tells, or it was no instruction that failed. */
export function failedStep(said: string, written: Written): WrittenInstruction | null {
  return byLine(said, written) ?? byVertex(said, written) ?? byCount(said, written)
}

/** BuildKit's newer clients: `Dockerfile:12` above an excerpt of the file. */
function byLine(said: string, { instructions }: Written): WrittenInstruction | null {
  const line = Number([...said.matchAll(/^\S[^\n]*:(\d{1,6})\n-{10,}$/gm)].at(-1)?.[1])
  return instructions.find(one => one.from <= line && line <= one.to) ?? null
}

/** BuildKit's older ones: ` > [stage 2/3] RUN make:`. It counts what touches files, FROM is the first. */
function byVertex(said: string, { instructions }: Written): WrittenInstruction | null {
  const last = [...said.matchAll(/^ > \[(?:([^\]\n]*?) )? *(\d{1,4})\/\d{1,4}\] ([A-Z]+)/gm)].at(-1)
  if (!last) return null
  const [, name, number, keyword] = last
  const counted = (stage: number) =>
    instructions.filter(one => one.stage === stage && vertices.has(one.keyword))[Number(number) - 1]
  const stages = [...new Set(instructions.map(one => one.stage))].filter(stage => {
    const from = instructions.find(one => one.keyword === 'FROM' && one.stage === stage)
    return name === undefined || stageNames(from, stage).includes(name.toLowerCase())
  })
  return stages.map(counted).findLast(one => one?.keyword === keyword) ?? null
}

const vertices: ReadonlySet<string> = new Set(['FROM', 'RUN', 'COPY', 'ADD', 'WORKDIR'])

function stageNames(from: WrittenInstruction | undefined, stage: number): string[] {
  const name = /\s+as\s+(\S+)\s*$/i.exec(from?.text ?? '')?.[1].toLowerCase()
  return [`stage-${stage}`, ...(name === undefined ? [] : [name])]
}

/** The classic builder counts all instructions (`Step 3/5 : RUN …`), Podman and buildah those of a stage (`[1/2] STEP 3/5: …`). */
function byCount(said: string, { instructions }: Written): WrittenInstruction | null {
  const last = [...said.matchAll(/^(?:\[(\d{1,4})\/\d{1,4}\] )?(Step|STEP) (\d{1,4})\/\d{1,4} ?: ([A-Za-z]+)/gm)].at(-1)
  if (!last) return null
  const [, stage, word, number, keyword] = last
  const counted =
    word === 'Step'
      ? instructions
      : instructions.filter(one => one.stage === (stage === undefined ? lastStage(instructions) : Number(stage) - 1))
  const found = counted[Number(number) - 1]
  return found?.keyword === keyword.toUpperCase() ? found : null
}

function lastStage(instructions: readonly WrittenInstruction[]): number {
  return instructions.at(-1)?.stage ?? 0
}
