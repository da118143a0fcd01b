/** `strata build --debug`: a build that failed leaves the person in a shell, where its last step would have run. */
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import type { Written, WrittenInstruction } from '../../image/written.ts'
import type { Io } from '../output.ts'
import { shell } from '../shell.ts'
import type { BuildArguments } from './arguments.ts'
import type { Builder } from './builders.ts'
import { failedStep } from './failed-step.ts'
import { lastGoodImage } from './last-good.ts'

/** Stands in the image before the step that failed, until the shell ends. */
export async function debugBuild(
  io: Io,
  builder: Builder,
  read: BuildArguments,
  { said, written, scratch }: { said: string; written: Written | null; scratch: string },
): Promise<void> {
  const failed = written && failedStep(said, written)
  if (!written || !failed)
    throw new Fault('The build failed, and nothing tells at which line of the Dockerfile.', {
      hint: written ? 'No step was begun, or the failure is not of a step.' : 'It was not read from a file.',
    })
  const good = await lastGoodImage(builder, read, written, failed, scratch)
  try {
    await io.err.write(
      `\nstrata: ${safe(written.name)}:${failed.from} failed. This is the image before it; the step was\n`,
    )
    await io.err.write(
      `${written.lines
        .slice(failed.from - 1, failed.to)
        .map(line => `    ${safe(line.replaceAll('\t', '    '))}`)
        .join('\n')}\n`,
    )
    await io.err.flush()
    const network = read.network === 'none' || read.network === 'host' ? { network: read.network } : {}
    await shell(io, [good.reference], { ...network, env: argumentsOf(written, failed, read.buildArgs) })
  } finally {
    await good.remove()
  }
}

/** The build arguments that the failed step would have seen: what was given, else what the Dockerfile says. */
function argumentsOf(written: Written, failed: WrittenInstruction, given: readonly string[]): string[] {
  const values = new Map(given.map(one => split(one)))
  const declared = written.instructions.filter(
    one => one.keyword === 'ARG' && one.stage === failed.stage && one.from < failed.from,
  )
  return declared.flatMap(one => {
    const [name, inFile] = split(one.text)
    const value = values.get(name) ?? inFile
    return value === undefined ? [] : [`${name}=${value}`]
  })
}

function split(text: string): [string, string | undefined] {
  const at = text.indexOf('=')
  if (at < 0) return [text.trim(), undefined]
  return [text.slice(0, at).trim(), text.slice(at + 1).replace(/^(["'])(.*)\1$/s, '$2')]
}
