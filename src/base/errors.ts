/**
 * Errors as sentences for the person: what failed, on what, and what to do about it.
 * Everything below `main.ts` throws a Fault (or lets one through); only `main.ts` turns it into an exit code.
 */

/** A failure that is fit to be shown: `message` is one sentence, `hint` says what to do, `cause` is the raw error. */
export class Fault extends Error {
  /** What the person can do about it, a sentence; undefined when there is nothing to say. */
  readonly hint: string | undefined
  /** The exit code of a command that ends with this fault: 1 failed, 2 usage, 130 interrupted. */
  readonly exitCode: number

  constructor(message: string, options: { hint?: string; cause?: unknown; exitCode?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Fault'
    this.hint = options.hint
    this.exitCode = options.exitCode ?? 1
  }
}

/** The fault that says what was being done when a foreign error came up; a Fault passes unchanged. */
export function asFault(error: unknown, doing: string): Fault {
  if (error instanceof Fault) return error
  if (isAbort(error)) return new Fault('Cancelled.', { cause: error, exitCode: 130 })
  return new Fault(`${doing}: ${reasonOf(error)}.`, { cause: error })
}

const systemReasons: Record<string, string> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  ENOSPC: 'no space left on the device',
  EROFS: 'it is read-only',
  ECONNREFUSED: 'nothing answers there',
  ECONNRESET: 'the connection was cut',
  ETIMEDOUT: 'no answer in time',
  EMFILE: 'too many open files',
  ELOOP: 'too many symbolic links',
}

/** A foreign error in a few words, without its stack, its code in words where the code is known. */
export function reasonOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  if (typeof code === 'string' && systemReasons[code]) return systemReasons[code]
  const text = error instanceof Error ? error.message : String(error)
  return text.replace(/[.\s]+$/, '')
}

/** Whether an error is what an AbortSignal throws. */
export function isAbort(error: unknown): boolean {
  return (error as { name?: unknown } | null)?.name === 'AbortError'
}
