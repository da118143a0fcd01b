/**
 * A container's upper layer as one more layer of its image: what it holds now, how fast each path grows, and the index
 * that the stack lays on top. Whoever watches or polls feeds it batches; whoever shows it asks for the index when it
 * draws, so that a thousand changes cost one index.
 */
import { Kind } from '../layer/entry.ts'
import type { LayerIndex } from '../layer/layer-index.ts'
import type { LiveBatch, LiveChange } from '../runtime/upper-watch.ts'
import { createLiveColumns, kindAt, NOTHING } from './live-columns.ts'
import { liveIndex } from './live-index.ts'

/** What is known of a path: its change, and how it is written to. */
export interface LivePath extends LiveChange {
  /** Its number here, until the next batch. */
  id: number
  /** Bytes written since it is watched. */
  total: number
}

export interface LiveLayer {
  /** Takes what has changed; `now` in milliseconds. */
  apply(batch: LiveBatch, now: number): void
  /** As of now, the same object until something changes. */
  index(): LayerIndex
  /** What is known of a path (without the leading slash). */
  path(path: Uint8Array): LivePath | undefined
  /** Every change, in the order of the entries of the index. */
  paths(): Iterable<LivePath>
  count(): number
  /** Bytes of all its files. */
  bytes(): number
  /** Bytes a second that a path is being written with. */
  rate(path: Pick<LivePath, 'id'>, now: number): number
  /** Bytes a second of everything. */
  totalRate(now: number): number
  /** Paths that were written to lately, and so have a rate. */
  warm(now: number): LivePath[]
  /** Bytes that a path, or everything below a directory, has more than when it was first looked at. */
  growth(path: Uint8Array): number
  /** When a path was last told of as different, milliseconds; `below`: anything in it too. Null: never while watched. */
  changedAt(path: Uint8Array, below: boolean): number | null
  /** When anything was last told of as different. */
  lastChange(): number | null
  /** Files that were copied up from below and how much that was, and those of which only mode, owner or attributes differ. */
  copyUps(): CopyUps
  /** The path that was told of last, no directory; null when none was. */
  newest(): Uint8Array | null
  /** Counts changes: who has seen this number has seen everything. */
  revision(): number
}

export interface CopyUps {
  files: number
  bytes: number
  idleFiles: number
  idleBytes: number
}

/** Reasons for which no content had to be copied. */
const IDLE: readonly string[] = ['mode', 'owner', 'xattr']

/** Milliseconds in which a rate falls to a third once nothing is written any more. */
const MEMORY = 3000

/** Below so many bytes a second nothing is going on. */
const SILENCE = 1

export function createLiveLayer(): LiveLayer {
  const live = createLiveColumns()
  let rates = new Map<number, { rate: number; at: number }>()
  const total = { rate: 0, at: 0 }
  let revision = 0
  let bytes = 0
  let whole = false
  let made: LayerIndex | null = null
  let sums: { growth: Map<number, number>; changedAt: Uint32Array } | null = null
  let copied: CopyUps | null = null
  let lastChange: number | null = null
  let newest: Uint8Array | null = null
  /** When the first look was over: times are counted from there. */
  let began = 0

  const faded = ({ rate, at }: { rate: number; at: number }, now: number) => rate * Math.exp(-(now - at) / MEMORY)
  const speed = (one: { rate: number; at: number }, written: number, now: number) => {
    one.rate = faded(one, now) + (written * 1000) / MEMORY
    one.at = now
  }
  const note = (node: number, written: number, now: number) => {
    const one = rates.get(node) ?? { rate: 0, at: now }
    rates.set(node, one)
    speed(one, written, now)
    speed(total, written, now)
  }
  const sizeAt = (node: number) => {
    const file = live.columns.op[node] !== NOTHING && live.letter(node) !== 'D' && kindAt(live, node) === Kind.file
    return file ? live.columns.size[node]! || 0 : 0
  }
  const take = (change: LiveChange, now: number) => {
    if (change.op === '-') {
      const node = live.find(change.path)
      if (node < 0) return
      bytes -= sizeAt(node)
      live.drop(node)
      rates.delete(node)
      return
    }
    const before = live.find(change.path)
    const known = before >= 0 && live.columns.op[before] !== NOTHING
    const sizeBefore = known ? sizeAt(before) : 0
    bytes -= sizeBefore
    const node = live.put(change)
    bytes += sizeAt(node)
    if (!whole) return
    const { columns, rare } = live
    const from = known ? sizeBefore : change.op === 'C' ? (change.lowerSize ?? 0) : 0
    const grown = (rare.growth.get(node) ?? 0) + sizeAt(node) - from
    if (grown !== 0) rare.growth.set(node, grown)
    else rare.growth.delete(node)
    columns.changedAt[node] = Math.max(1, now - began)
    if (change.kind !== Kind.dir) newest = change.path
    if (change.written <= 0) return
    rare.total.set(node, (rare.total.get(node) ?? 0) + change.written)
    note(node, change.written, now)
  }
  const tidy = () => {
    const nodeOf = live.tidy()
    if (nodeOf) rates = new Map([...rates].map(([node, one]) => [nodeOf[node]!, one]))
  }

  const at = (id: number): LivePath => {
    const { columns, rare } = live
    return {
      id,
      op: live.letter(id),
      path: live.tree.path(id),
      kind: kindAt(live, id),
      size: orNull(columns.size[id]!),
      mode: columns.mode[id]!,
      uid: columns.uid[id]!,
      gid: columns.gid[id]!,
      mtime: columns.mtime[id]!,
      nsec: columns.nsec[id]!,
      written: 0,
      lower: columns.lower[id]! < 0 ? null : columns.lower[id]!,
      lowerSize: rare.lowerSize.get(id) ?? null,
      link: rare.link.get(id) ?? null,
      reasons: live.reasons(id),
      total: rare.total.get(id) ?? 0,
    }
  }

  /** Of everything below each directory. A parent's number is smaller than its children's. */
  const summed = () => {
    if (sums) return sums
    const { tree, columns, rare } = live
    const growth = new Map<number, number>()
    for (const [node, bytes] of rare.growth) {
      for (let at = node; ; at = tree.parent[at]!) {
        growth.set(at, (growth.get(at) ?? 0) + bytes)
        if (at === 0) break
      }
    }
    const changedAt = columns.changedAt.slice(0, tree.nodes)
    for (let node = tree.nodes - 1; node > 0; node--) {
      const above = tree.parent[node]!
      if (changedAt[node]! > changedAt[above]!) changedAt[above] = changedAt[node]!
    }
    return (sums = { growth, changedAt })
  }

  return {
    apply({ changes, part = false }, now) {
      for (const change of changes) take(change, now)
      if (changes.length > 0) {
        tidy()
        made = sums = copied = null
        revision++
        if (whole) lastChange = now
      }
      if (!whole && !part) began = now - 1
      whole ||= !part
    },
    index: () => (made ??= liveIndex(live)),
    path(path) {
      const node = live.find(path)
      return node < 0 || live.columns.op[node] === NOTHING ? undefined : at(node)
    },
    *paths() {
      for (let node = 0; node < live.tree.nodes; node++) if (live.columns.op[node] !== NOTHING) yield at(node)
    },
    count: () => live.count(),
    bytes: () => bytes,
    rate({ id }, now) {
      const one = rates.get(id)
      return one ? loud(faded(one, now)) : 0
    },
    totalRate: now => loud(faded(total, now)),
    warm(now) {
      const found: LivePath[] = []
      for (const [node, one] of rates) {
        if (faded(one, now) >= SILENCE) found.push(at(node))
        else rates.delete(node)
      }
      return found
    },
    growth(path) {
      const node = live.find(path)
      return node < 0 ? 0 : (summed().growth.get(node) ?? 0)
    },
    changedAt(path, below) {
      const node = live.find(path)
      if (node < 0 || (!below && live.columns.op[node] === NOTHING)) return null
      const at = (below ? summed().changedAt : live.columns.changedAt)[node]!
      return at === 0 ? null : began + at
    },
    copyUps() {
      if (copied) return copied
      const all: CopyUps = { files: 0, bytes: 0, idleFiles: 0, idleBytes: 0 }
      for (const [node, bytes] of live.rare.lowerSize) {
        if (kindAt(live, node) !== Kind.file) continue
        all.files++
        all.bytes += bytes
        const reasons = live.reasons(node)
        if (reasons.length === 0 || !reasons.every(reason => IDLE.includes(reason))) continue
        all.idleFiles++
        all.idleBytes += bytes
      }
      return (copied = all)
    },
    lastChange: () => lastChange,
    newest: () => newest,
    revision: () => revision,
  }
}

function loud(rate: number): number {
  return rate < SILENCE ? 0 : rate
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value
}
