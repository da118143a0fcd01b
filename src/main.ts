/**
 * argv to a command, and what comes of it to an exit code. Nothing else: every verb is loaded when it is asked for.
 * 0 done, 1 failed, 2 usage, 130 interrupted.
 */
import process from 'node:process'
import { Fault, isAbort } from './base/errors.ts'
import { ClosedPipe, createOutput, type Io, type Output } from './cli/output.ts'
import { runQuick } from './cli/quick.ts'

const interrupt = new AbortController()

/** The first ctrl-c asks for an end in good order; the second one does not ask. */
process.on('SIGINT', () => {
  if (interrupt.signal.aborted) process.exit(130)
  interrupt.abort()
})

async function main(): Promise<void> {
  try {
    const args = process.argv.slice(2)
    const code = (await runQuick(args, io)) ?? (await (await import('./cli/program.ts')).runProgram(args, io))
    await out?.flush()
    await err?.flush()
    process.exitCode = interrupt.signal.aborted ? 130 : code
  } catch (error) {
    process.exitCode = await told(error)
  }
}

/** Where verbs write. Each is opened when something is to be written: a container's own output does not pass here. */
const io: Io = {
  get out() {
    out ??= outputOn(process.stdout)
    return out
  },
  get err() {
    err ??= outputOn(process.stderr)
    return err
  },
  signal: interrupt.signal,
}
let out: Output | null = null
let err: Output | null = null

function outputOn(stream: NodeJS.WriteStream): Output {
  // A reader that went away is told to the writer by its own callback; without a listener it would be a crash.
  stream.on('error', () => {})
  return createOutput(stream)
}

void main()

/** Says what failed, as one sentence and what to do about it, and gives the exit code. */
async function told(error: unknown): Promise<number> {
  if (error instanceof ClosedPipe) return 0
  const { safe } = await import('./base/text.ts')
  const code = exitCodeOf(error)
  if (code === 130) process.stderr.write('strata: interrupted\n')
  else {
    const message = error instanceof Error ? error.message : String(error)
    const hint = error instanceof Fault ? error.hint : 'This is a defect of strata. STRATA_DEBUG=1 shows where it is.'
    process.stderr.write(`strata: ${safe(message)}\n${hint ? `${safe(hint)}\n` : ''}`)
  }
  if (process.env.STRATA_DEBUG) process.stderr.write(`${traces(error).map(safe).join('\n')}\n`)
  return code
}

function exitCodeOf(error: unknown): number {
  if (isAbort(error) || interrupt.signal.aborted) return 130
  return error instanceof Fault ? error.exitCode : 1
}

/** The stacks of an error and of what caused it, as lines. */
function traces(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)]
  const own = (error.stack ?? error.message).split('\n')
  return error.cause === undefined ? own : [...own, 'caused by', ...traces(error.cause)]
}
