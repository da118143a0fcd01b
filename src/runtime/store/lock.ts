/**
 * Locks between processes that end with the process that holds them, however it ends: the kernel's own, taken through
 * SQLite, for Node has no call for them. A lock is an empty file; nothing is ever written into it.
 */
import { closeSync, openSync, statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import { Fault, reasonOf } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'

export interface Lock {
  release(): void
}

export interface LockOptions {
  /** Several may hold it at once, as long as nobody holds it alone. */
  shared?: boolean
  signal?: AbortSignal | undefined
}

/** Waits for the lock. @throws Fault when its file can not be made. */
export async function lock(path: string, options: LockOptions = {}): Promise<Lock> {
  for (let wait = 5; ; wait = Math.min(wait * 2, 100)) {
    const taken = await tryLock(path, options)
    if (taken !== null) return taken
    await setTimeout(wait, undefined, { signal: options.signal })
  }
}

/** The lock, or null when somebody else has it. */
export async function tryLock(path: string, { shared = false }: LockOptions = {}): Promise<Lock | null> {
  const { DatabaseSync } = await import('node:sqlite')
  let file: DatabaseSync | null = null
  try {
    const before = identityOf(path) ?? create(path)
    file = new DatabaseSync(path, { timeout: 0 })
    file.exec(shared ? 'BEGIN; SELECT 1 FROM sqlite_schema' : 'BEGIN EXCLUSIVE')
    // Whoever held it before may have removed its file: then this is a lock on nothing.
    if (before !== null && identityOf(path) === before) return held(file)
  } catch (error) {
    if ((error as { errcode?: number }).errcode !== busy) {
      file?.close()
      throw new Fault(`${safe(path)} can not be locked: ${reasonOf(error)}.`, { cause: error })
    }
  }
  file?.close()
  return null
}

function identityOf(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? null
}

/** An existing one is never opened here: to close it would end this process's own locks on it (fcntl_locking(2)). */
function create(path: string): number | null {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'EEXIST') throw error
  }
  return identityOf(path)
}

/** SQLITE_BUSY */
const busy = 5

function held(file: DatabaseSync): Lock {
  let open = true
  return {
    release() {
      if (open) file.close()
      open = false
    },
  }
}
