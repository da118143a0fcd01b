/** A failure of one of several things, told as `main.ts` tells the failure of all. */
import { Fault, isAbort } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import type { Io } from '../output.ts'

/** Throws what is no failure of the thing itself: an interruption, a closed pipe, a defect. */
export async function told(io: Io, error: unknown): Promise<void> {
  if (!(error instanceof Fault) || isAbort(error) || error.exitCode === 130) throw error
  await io.out.flush()
  await io.err.write(`strata: ${safe(error.message)}\n${error.hint ? `${safe(error.hint)}\n` : ''}`)
  await io.err.flush()
}

/** The same fault with docker's exit code for “it could not be started”: 127 not found, 126 not to be run, 125 else. */
export async function as125<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Fault) || error.exitCode >= 125) throw error
    const { message, hint } = error
    throw new Fault(message, { cause: error, exitCode: codeOf(message), ...(hint === undefined ? {} : { hint }) })
  }
}

/** As docker's command line tells them apart. */
function codeOf(message: string): number {
  if (/executable file not found|no such file or directory/i.test(message)) return 127
  return /permission denied/i.test(message) ? 126 : 125
}
