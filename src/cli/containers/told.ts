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

/** The same fault with docker's exit code for “it could not be started”. */
export async function as125<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Fault) || error.exitCode >= 125) throw error
    throw new Fault(error.message, {
      cause: error,
      exitCode: 125,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    })
  }
}
