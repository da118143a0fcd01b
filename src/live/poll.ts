/**
 * An upper layer that can only be asked for, over an engine's API: `changes` again and again, less often the longer an
 * answer takes, so that asking never costs the engine more than a twentieth of its time.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { asFault } from '../base/errors.ts'
import { Kind } from '../layer/entry.ts'
import type { LiveBatch, LiveChange } from '../runtime/upper-watch.ts'

/** What a path is, where the engine can be asked; null where it is gone or can not be told. */
export interface PolledPath {
  kind: Kind
  size: number
  mode: number
  /** Seconds since 1970. */
  mtime: number
}

export interface Pollable {
  /** Whether an error says that there is nothing to be asked any more. */
  isGone(error: unknown): boolean
  /** Every path that is different, without the leading slash. */
  changes(signal: AbortSignal): Promise<{ change: 'A' | 'C' | 'D'; path: Uint8Array }[]>
  /** Looks at one path; asked for a bounded number of them a round. */
  look(path: Uint8Array, signal: AbortSignal): Promise<PolledPath | null>
}

const LEAST = 1000
const MOST = 30_000
/** Milliseconds after which an engine that did not answer is asked again. */
const AGAIN = 2000
/** The share of the time that asking may take. */
const SHARE = 20
/** More paths are not looked at in one round: each is a call. */
const LOOKS = 200

/**
 * Until the signal aborts. Throws what asking throws the first time, or what says that the container is gone; any other
 * failure is a notice, and asking goes on.
 */
export async function* pollUpper({ changes, look, isGone }: Pollable, signal: AbortSignal): AsyncGenerator<LiveBatch> {
  const known = new Map<string, LiveChange>()
  /** In which round each was looked at: those that wait longest come first. */
  const looked = new Map<string, number>()
  let round = 0
  while (!signal.aborted) {
    const began = performance.now()
    let found: Awaited<ReturnType<Pollable['changes']>>
    try {
      found = await changes(signal)
    } catch (error) {
      if (round === 0 || signal.aborted || isGone(error)) throw error
      const { message } = asFault(error, 'The layer can not be asked for')
      yield { changes: [], notices: [`${message} It is asked for again; this is what it was.`], every: AGAIN }
      await sleep(AGAIN, undefined, { signal }).catch(() => {})
      continue
    }
    const batch: LiveChange[] = []
    const gone = new Set(known.keys())
    const turn = turnOf(found, known, looked)
    round++
    for (const { change, path } of found) {
      const key = Buffer.from(path).toString('latin1')
      gone.delete(key)
      const before = known.get(key)
      const wanted = turn.has(key)
      if (wanted) looked.set(key, round)
      const seen = wanted ? await look(path, signal) : null
      const now = changeOf(change, path, seen ?? before ?? null)
      if (before && same(before, now)) continue
      now.written = before ? Math.max(0, (now.size ?? 0) - (before.size ?? 0)) : 0
      known.set(key, now)
      batch.push(now)
    }
    for (const key of gone) {
      batch.push({ ...known.get(key)!, op: '-' })
      known.delete(key)
      looked.delete(key)
    }
    const every = Math.min(MOST, Math.max(LEAST, (performance.now() - began) * SHARE))
    yield { changes: batch, notices: [], every }
    await sleep(every, undefined, { signal }).catch(() => {})
  }
}

/** What is looked at in this round. A directory is looked at once: what changes in it is told by its paths. */
function turnOf(
  found: Awaited<ReturnType<Pollable['changes']>>,
  known: ReadonlyMap<string, LiveChange>,
  looked: ReadonlyMap<string, number>,
): Set<string> {
  const keys = found
    .filter(({ change }) => change !== 'D')
    .map(({ path }) => Buffer.from(path).toString('latin1'))
    .filter(key => !looked.has(key) || known.get(key)?.kind !== Kind.dir)
  if (keys.length > LOOKS) keys.sort((a, b) => (looked.get(a) ?? 0) - (looked.get(b) ?? 0))
  return new Set(keys.slice(0, LOOKS))
}

function changeOf(op: 'A' | 'C' | 'D', path: Uint8Array, seen: PolledPath | LiveChange | null): LiveChange {
  return {
    op,
    path,
    kind: seen?.kind ?? Kind.file,
    size: seen?.size ?? null,
    mode: seen?.mode ?? 0,
    uid: 0,
    gid: 0,
    mtime: seen?.mtime ?? 0,
    nsec: 0,
    written: 0,
    lower: null,
    lowerSize: null,
    // The engine tells what a link leads to in the end, not what it says.
    link: null,
    reasons: [],
  }
}

function same(a: LiveChange, b: LiveChange): boolean {
  return a.op === b.op && a.kind === b.kind && a.size === b.size && a.mode === b.mode && a.mtime === b.mtime
}
