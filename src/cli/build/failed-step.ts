/** Which instruction a builder stopped at, from what it said: each of them tells it in its own way. */
import { type Written, type WrittenInstruction, writtenStages } from '../../image/written.ts'

/** null: nothing tells, or it was no instruction that failed. */
export function failedStep(said: string, written: Written): WrittenInstruction | null {
  return byLine(said, written) ?? byVertex(said, written) ?? byCount(said, written)
}

/** BuildKit's newer clients: `Dockerfile:12` above an excerpt of the file. */
function byLine(said: string, { instructions }: Written): WrittenInstruction | null {
  const line = Number([...said.matchAll(/^\S[^\n]*:(\d{1,6})\n-{10,}$/gm)].at(-1)?.[1])
  return instructions.find(one => one.from <= line && line <= one.to) ?? null
}

/**
 * BuildKit's older ones: ` > [stage 2/3] RUN make:`. It counts what touches files; a FROM is one where it brings an image in.
 */
function byVertex(said: string, written: Written): WrittenInstruction | null {
  const last = [...said.matchAll(/^ > \[(?:([^\]\n]*?) )? *(\d{1,4})\/\d{1,4}\] ([A-Z]+)/gm)].at(-1)
  if (!last) return null
  const [, name, number, keyword] = last
  for (const [at, stage] of writtenStages(written).entries()) {
    if (name !== undefined && name.toLowerCase() !== stage.name && name !== `stage-${at}`) continue
    const counted = written.instructions.filter(
      one =>
        one.stage === at &&
        (vertices.has(one.keyword) || (one.keyword === 'FROM' && stage.parent < 0 && stage.base !== 'scratch')),
    )
    const found = counted[Number(number) - 1]
    if (found?.keyword === keyword) return found
  }
  return null
}

const vertices: ReadonlySet<string> = new Set(['RUN', 'COPY', 'ADD', 'WORKDIR'])

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
