/**
 * This process's standard streams and a session of an engine, joined until the session ends or the person lets go. The
 * terminal is raw meanwhile and whole again on every way out.
 */
import { Buffer } from 'node:buffer'
import process from 'node:process'
import type { Readable, Writable } from 'node:stream'
import type { Session } from '../../engine/containers.ts'
import { parseDetachKeys } from './detach-keys.ts'

export interface JoinOptions {
  tty: boolean
  stdin: boolean
  /** As docker writes them: `ctrl-p,ctrl-q`. */
  detachKeys?: string | undefined
  /** What a signal that we get does to the program; null: it lets go of it. */
  onSignal?: ((signal: NodeJS.Signals) => void) | null | undefined
}

/** Gives the session's exit code, null where it does not know it; `let go` and `interrupted` when the person did that. */
export async function join(session: Session, options: JoinOptions): Promise<number | null | 'let go' | 'interrupted'> {
  const { stdin, stdout, stderr } = process
  const undo: (() => void)[] = []
  const interrupted = Promise.withResolvers<'interrupted'>()
  const before = [...forwarded].map(name => [name, process.listeners(name)] as const)
  try {
    for (const [name] of before) {
      process.removeAllListeners(name)
      process.on(name, () =>
        options.onSignal === null ? interrupted.resolve('interrupted') : options.onSignal?.(name),
      )
    }
    if (options.tty && stdout.isTTY) {
      const fitted = () => void session.resize(stdout.columns, stdout.rows).catch(() => {})
      fitted()
      stdout.on('resize', fitted)
      undo.push(() => stdout.off('resize', fitted))
    }
    if (options.tty && options.stdin && stdin.isTTY) {
      stdin.setRawMode(true)
      undo.push(() => stdin.setRawMode(false))
    }
    const letGo = new Promise<'let go'>(resolve => {
      if (!options.stdin || !session.input) return
      undo.push(
        feed(stdin, session.input, options.tty ? parseDetachKeys(options.detachKeys) : null, () => {
          session.close()
          resolve('let go')
        }),
      )
    })
    const shown = Promise.all([
      pass(session.output, stdout),
      session.errors ? pass(session.errors, options.tty ? stdout : stderr) : null,
    ])
    const ended = session.ended.then(async code => {
      await shown
      return code
    })
    const left = interrupted.promise.then(how => {
      session.close()
      return how
    })
    return await Promise.race([ended, letGo, left])
  } finally {
    for (const step of undo.reverse()) step()
    for (const [name, listeners] of before) {
      process.removeAllListeners(name)
      for (const listener of listeners) process.on(name, listener)
    }
  }
}

const forwarded: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2']

/** Waits for who reads us; a reader that went away takes nothing more, and the program goes on. */
async function pass(from: Readable, to: Writable): Promise<void> {
  let open = true
  for await (const chunk of from) {
    if (!open) continue
    await new Promise<void>(resolve => {
      to.write(chunk, error => {
        open = !error
        resolve()
      })
    })
  }
}

/** Gives a function that stops it. */
function feed(from: Readable, to: Writable, keys: Uint8Array | null, detach: () => void): () => void {
  let matched = 0
  to.on('error', () => {})
  const take = (chunk: Buffer) => {
    const kept: number[] = []
    for (const byte of chunk) {
      if (keys === null) kept.push(byte)
      else if (byte === keys[matched]) {
        if (++matched === keys.length) {
          to.write(Buffer.from(kept))
          detach()
          return
        }
      } else {
        kept.push(...keys.subarray(0, matched))
        matched = byte === keys[0] ? 1 : 0
        if (matched === 0) kept.push(byte)
      }
    }
    if (kept.length > 0 && !to.write(Buffer.from(kept))) {
      from.pause()
      to.once('drain', () => from.resume())
    }
  }
  const end = () => to.end()
  from.on('data', take)
  from.once('end', end)
  return () => {
    from.off('data', take)
    from.off('end', end)
    from.pause()
    // Nothing of ours keeps the process alive for input that nobody waits for.
    ;(from as Readable & { unref?: () => void }).unref?.()
  }
}
