/**
 * A container's upper layer as one more layer of its image: what it holds now, how fast each path grows, and the index
 * that the stack lays on top. Whoever watches or polls feeds it batches; whoever shows it asks for the index when it
 * draws, so that a thousand changes cost one index.
 */
import { Buffer } from 'node:buffer'
import { type Entry, Kind } from '../layer/entry.ts'
import { IndexBuilder } from '../layer/index-builder.ts'
import type { LayerIndex } from '../layer/layer-index.ts'
import type { LiveBatch, LiveChange } from '../runtime/upper-watch.ts'

/** What is known of a path: its change, and how it is written to. */
export interface LivePath extends LiveChange {
  /** Bytes written since it is watched. */
  total: number
  /** Milliseconds, when it was last written to; what the first look found was not seen being written. */
  writtenAt: number | null
}

export interface LiveLayer {
  /** Takes what has changed; `now` in milliseconds. */
  apply(batch: LiveBatch, now: number): void
  /** As of now, the same object until something changes. */
  index(): LayerIndex
  /** What is known of a path (without the leading slash). */
  path(path: Uint8Array): LivePath | undefined
  /** Every change, in the order in which paths were first told of. */
  paths(): Iterable<LivePath>
  count(): number
  /** Bytes of all its files. */
  bytes(): number
  /** Bytes a second that a path is being written with. */
  rate(path: LivePath, now: number): number
  /** Bytes a second of everything. */
  totalRate(now: number): number
  /** Paths that were written to lately, and so have a rate. */
  warm(now: number): LivePath[]
  /** Counts changes: who has seen this number has seen everything. */
  revision(): number
}

/** Milliseconds in which a rate falls to a third once nothing is written any more. */
const MEMORY = 3000

/** Below so many bytes a second nothing is going on. */
const SILENCE = 1

export function createLiveLayer(): LiveLayer {
  const paths = new Map<string, LivePath>()
  const rates = new Map<string, { rate: number; at: number }>()
  const total = { rate: 0, at: 0 }
  let revision = 0
  let bytes = 0
  let whole = false
  let made: LayerIndex | null = null

  const faded = ({ rate, at }: { rate: number; at: number }, now: number) => rate * Math.exp(-(now - at) / MEMORY)
  const speed = (one: { rate: number; at: number }, written: number, now: number) => {
    one.rate = faded(one, now) + (written * 1000) / MEMORY
    one.at = now
  }
  const note = (key: string, written: number, now: number) => {
    const one = rates.get(key) ?? { rate: 0, at: now }
    rates.set(key, one)
    speed(one, written, now)
    speed(total, written, now)
  }
  const take = (change: LiveChange, now: number) => {
    const key = keyOf(change.path)
    const before = paths.get(key)
    bytes -= sizeOf(before)
    if (change.op === '-') {
      paths.delete(key)
      rates.delete(key)
      return
    }
    const seen = whole && change.written > 0
    bytes += sizeOf(change)
    paths.set(key, {
      ...change,
      total: (before?.total ?? 0) + (seen ? change.written : 0),
      writtenAt: seen ? now : (before?.writtenAt ?? null),
    })
    if (seen) note(key, change.written, now)
  }

  return {
    apply({ changes }, now) {
      for (const change of changes) take(change, now)
      if (changes.length > 0) {
        made = null
        revision++
      }
      whole = true
    },
    index: () => (made ??= indexOf(paths.values())),
    path: path => paths.get(keyOf(path)),
    paths: () => paths.values(),
    count: () => paths.size,
    bytes: () => bytes,
    rate(path, now) {
      const one = rates.get(keyOf(path.path))
      return one ? loud(faded(one, now)) : 0
    },
    totalRate: now => loud(faded(total, now)),
    warm(now) {
      const found: LivePath[] = []
      for (const [key, one] of rates) {
        const path = paths.get(key)
        if (path && faded(one, now) >= SILENCE) found.push(path)
        else rates.delete(key)
      }
      return found
    },
    revision: () => revision,
  }
}

function loud(rate: number): number {
  return rate < SILENCE ? 0 : rate
}

function sizeOf(change: LiveChange | undefined): number {
  return change && change.op !== 'D' && change.kind === Kind.file ? (change.size ?? 0) : 0
}

function keyOf(path: Uint8Array): string {
  return Buffer.from(path.buffer, path.byteOffset, path.byteLength).toString('latin1')
}

/** Names are names here: a file called `.wh.x` hides nothing in an upper directory. */
function indexOf(paths: Iterable<LivePath>): LayerIndex {
  const builder = new IndexBuilder({ markers: false })
  for (const one of paths) builder.entry(entryOf(one))
  return builder.finish({ tarBytes: 0, diffId: null })
}

function entryOf({ op, path, kind, size, mode, uid, gid, mtime, nsec }: LivePath): Entry {
  return {
    path,
    kind: op === 'D' ? Kind.whiteout : kind,
    size: size ?? 0,
    mode,
    uid,
    gid,
    mtime,
    nsec,
    link: null,
    devMajor: 0,
    devMinor: 0,
    xattrs: null,
    sparse: false,
    offset: -1,
  }
}
