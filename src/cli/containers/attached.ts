/** A container of a daemon at this terminal. */
import type { Containers } from '../../engine/containers.ts'
import { join } from './terminal-session.ts'

export interface Attached {
  tty: boolean
  stdin: boolean
  detachKeys?: string | undefined
  /** Whether a signal that we get is the container's (it is unless this is false), or lets go of it. */
  signals?: boolean | undefined
  /** Starts it, once somebody listens; nothing where it runs already. */
  start?: (() => Promise<void>) | undefined
}

/** Gives its exit code, 0 when the person let go of it. */
export async function attachAndStart(containers: Containers, id: string, how: Attached): Promise<number> {
  const session = await containers.attach(id, { stdin: how.stdin })
  try {
    await how.start?.()
  } catch (error) {
    session.close()
    throw error
  }
  const waited = containers.wait(id).catch(() => null)
  const ended = await join(session, {
    ...how,
    onSignal: how.signals === false ? null : signal => void containers.kill(id, signal).catch(() => {}),
  })
  if (ended === 'let go') return 0
  if (ended === 'interrupted') return INTERRUPTED
  return (await waited) ?? ended ?? 0
}

/** As a shell says it of a program that ctrl-c has ended. */
const INTERRUPTED = 130
