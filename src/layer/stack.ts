/**
 * Layers laid over each other (the rules: README.md here). A stack interns the paths of all its layers, applies each
 * layer once, and remembers of each only what it changed: any intermediate image is then a walk along those deltas.
 * The ledger of wasted bytes is kept on the way, so that its rows add up to stored − visible by construction.
 *
 * An entry of the stack is a reference: one number for (layer, entry), in order of layers.
 */
import { type Anomaly, type Entry, Kind } from './entry.ts'
import type { HashKind, LayerIndex } from './layer-index.ts'
import { type Cause, Ledger, type WasteRow } from './ledger.ts'
import { PathTree } from './path-tree.ts'
import { entryOf } from './read-entry.ts'

/** No layer has put anything there, or it is gone. */
export const ABSENT = -1
/** A directory that nobody listed: a deeper path implies it. 0755, owned by 0:0. */
export const IMPLIED = -2

export type { Cause, WasteRow } from './ledger.ts'

/** What is visible with layers 0..layer. Valid until the next layer is pushed; not to be written to. */
export interface View {
  layer: number
  /** By node: an entry reference, ABSENT or IMPLIED. */
  current: Int32Array
}

/** What one layer did: its nodes with what stood there before and after. Nodes where both agree are left out. */
export interface Delta {
  nodes: Uint32Array
  before: Int32Array
  after: Int32Array
}

/** Nodes an interning slice handles before it lets the caller breathe: well under 8 ms. */
const SLICE = 8192
/** The kind that stands at a node while nothing does. */
const NOTHING = 255
const MAX_ANOMALIES = 1000

export class Stack {
  tree: PathTree
  readonly layers: LayerIndex[] = []
  readonly anomalies: Anomaly[] = []
  readonly deltas: Delta[] = []
  /** First reference of each layer, and one past the last. */
  #base: number[] = [0]
  /** Node of the stack by node of the layer. */
  readonly #nodeOf: Uint32Array[] = []
  /** References of the inodes that a layer's hard links bind to, by entry; null: the layer has none. */
  readonly #links: (Int32Array | null)[] = []
  readonly #ledger: Ledger
  readonly #crcs: Map<number, number>

  #current = new Int32Array([IMPLIED])
  #kinds = new Uint8Array([Kind.dir])
  #touched = new Uint8Array(1)
  #touchedNodes = new Uint32Array(1024)
  #touchedBefore = new Int32Array(1024)
  #touchedCount = 0
  #lastView: View | null = null
  /** What was there before the layer on top that another will replace; null: no layer is such. */
  #live: { anomalies: number } | null = null
  /** The nodes of the last index of a lineage: the next one has them too. */
  #lineage: { of: object; nodeOf: Uint32Array } | null = null
  /** The ledger as it was when another stack took over; null: this is the one that goes on. */
  #kept: Pick<Ledger, 'stored' | 'visible' | 'rows'> | null = null

  /** Empty, or what goes on in the place of another. */
  constructor(before?: Stack) {
    this.tree = before?.tree ?? new PathTree({ linked: true })
    this.#ledger = before ? before.#ledger : new Ledger()
    this.#crcs = before ? before.#crcs : new Map()
    if (!before) return
    this.layers.push(...before.layers)
    this.anomalies.push(...before.anomalies)
    this.deltas.push(...before.deltas)
    this.#base = before.#base.slice()
    this.#nodeOf.push(...before.#nodeOf)
    this.#links.push(...before.#links)
    this.#current = before.#current
    this.#kinds = before.#kinds
    this.#live = before.#live
    this.#lineage = before.#lineage
  }

  /** Sum of all regular-file bodies, bytes. */
  get stored(): number {
    return (this.#kept ?? this.#ledger).stored
  }

  /** Bytes that can be reached through some name in the topmost view. */
  get visible(): number {
    return (this.#kept ?? this.#ledger).visible
  }

  /** The ledger: its bytes add up to stored − visible. */
  get waste(): readonly WasteRow[] {
    return (this.#kept ?? this.#ledger).rows
  }

  /** Lays the next layer on top. */
  push(index: LayerIndex): void {
    for (const _ of this.#pushing(index));
  }

  /**
   * Lays a layer on top that is not yet what it will be: the next call puts another in its place. Costs what the two change,
   * not what lies below. Views and references of the layer that goes are good for nothing afterwards.
   */
  pushLive(index: LayerIndex): void {
    if (this.#live !== null) this.#takeLiveOff(this.#live)
    this.#live = { anomalies: this.anomalies.length }
    this.#ledger.keepJournal()
    this.push(index)
  }

  /**
   * The same as another stack. Of this one views, references and the ledger stay what they are, for whoever still shows
   * them; nothing can be laid on it any more. `nodes`: how many the layers below have; the other one begins with those
   * again, so that paths which came and went are forgotten: its other nodes are not this one's.
   */
  withLive(index: LayerIndex, nodes?: number): Stack {
    this.#lastView ??= this.view(this.deltas.length - 1)
    const { stored, visible, rows } = this.#ledger
    this.#kept = { stored, visible, rows }
    const next = new Stack(this)
    if (nodes !== undefined) next.#forgetAfter(nodes)
    next.pushLive(index)
    return next
  }

  #forgetAfter(nodes: number): void {
    if (this.#live !== null) this.#takeLiveOff(this.#live)
    this.#live = null
    this.#lineage = null
    this.tree = this.tree.first(nodes)
    this.#current = this.#current.slice(0, nodes)
    this.#kinds = this.#kinds.slice(0, nodes)
  }

  #takeLiveOff({ anomalies }: { anomalies: number }): void {
    const { nodes, before } = this.deltas.pop()!
    for (let i = 0; i < nodes.length; i++) {
      const ref = before[i]!
      this.#current[nodes[i]!] = ref
      this.#kinds[nodes[i]!] = ref === ABSENT ? NOTHING : ref === IMPLIED ? Kind.dir : this.kindOf(ref)
    }
    this.layers.pop()
    this.#base.pop()
    this.#nodeOf.pop()
    this.#links.pop()
    this.anomalies.length = anomalies
    this.#lastView = null
    const end = this.#base.at(-1)!
    for (const inode of this.#crcs.keys()) if (inode >= end) this.#crcs.delete(inode)
    this.#ledger.takeBack()
  }

  /**
   * The same in slices of a few milliseconds, for a thread that also draws. To be run to its end; until then views and
   * changes of the layers below can be asked for as before.
   */
  *pushSlices(index: LayerIndex): Generator<void> {
    this.view(this.deltas.length - 1)
    yield* this.#pushing(index)
  }

  *#pushing(index: LayerIndex): Generator<void> {
    const layer = this.layers.length
    const before = index.lineage && this.#lineage?.of === index.lineage ? this.#lineage.nodeOf : undefined
    const nodeOf = yield* this.tree.take(index, SLICE, before)
    if (index.lineage) this.#lineage = { of: index.lineage, nodeOf }
    this.layers.push(index)
    this.#base.push(this.#base[layer]! + index.entries)
    this.#nodeOf.push(nodeOf)
    this.#links.push(null)
    this.#ledger.addLayer(index)
    this.#grow()
    this.#hide(layer)
    for (let from = 0; from < index.entries; from += SLICE) {
      this.#lay(layer, from, Math.min(from + SLICE, index.entries))
      yield
    }
    this.#settle()
    this.#lastView = null
    this.#touched = new Uint8Array(0)
  }

  /** The stack 0..k; -1 is the empty one. Costs what the layers between it and the last view changed. */
  view(k: number): View {
    const top = this.deltas.length - 1
    const from = this.#lastView ?? { layer: top, current: this.#current.slice(0, this.tree.nodes) }
    if (from.layer === k) return from
    const current = from === this.#lastView ? from.current.slice() : from.current
    for (let layer = from.layer; layer > k; layer--) {
      const { nodes, before } = this.deltas[layer]!
      for (let i = 0; i < nodes.length; i++) current[nodes[i]!] = before[i]!
    }
    for (let layer = from.layer + 1; layer <= k; layer++) {
      const { nodes, after } = this.deltas[layer]!
      for (let i = 0; i < nodes.length; i++) current[nodes[i]!] = after[i]!
    }
    return (this.#lastView = { layer: k, current })
  }

  layerOf(ref: number): number {
    let low = 0
    let high = this.layers.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.#base[middle]! <= ref) low = middle
      else high = middle - 1
    }
    return low
  }

  /** The number of the entry within its layer. */
  indexOf(ref: number): number {
    return ref - this.#base[this.layerOf(ref)]!
  }

  refOf(layer: number, entry: number): number {
    return this.#base[layer]! + entry
  }

  nodeOf(ref: number): number {
    const layer = this.layerOf(ref)
    return this.#nodeOf[layer]![this.layers[layer]!.node[ref - this.#base[layer]!]!]!
  }

  /** Node of the stack by node of a layer's own tree. */
  ownNodes(layer: number): Uint32Array {
    return this.#nodeOf[layer]!
  }

  /** The kind of what stands at a reference; IMPLIED is a directory. */
  kindOf(ref: number): Kind {
    if (ref === IMPLIED) return Kind.dir
    const layer = this.layerOf(ref)
    return this.layers[layer]!.kind[ref - this.#base[layer]!]! as Kind
  }

  /** Bytes of the file that a reference shows, hard links resolved; 0 for everything else. */
  sizeOf(ref: number): number {
    const inode = ref === IMPLIED ? -1 : this.inodeOf(ref)
    if (inode < 0) return 0
    const layer = this.layerOf(inode)
    return this.layers[layer]!.size[inode - this.#base[layer]!]!
  }

  /** The entry that holds what a reference shows: itself, or what a hard link is bound to; -1: bound to nothing. */
  inodeOf(ref: number): number {
    const layer = this.layerOf(ref)
    const entry = ref - this.#base[layer]!
    if (this.layers[layer]!.kind[entry] !== Kind.hardlink) return ref
    return this.#links[layer]?.[entry] ?? -1
  }

  /** The whole entry, path included. */
  entry(ref: number): Entry & { layer: number; index: number } {
    const layer = this.layerOf(ref)
    const index = ref - this.#base[layer]!
    return { ...entryOf(this.layers[layer]!, index), layer, index }
  }

  /** Whether two inodes hold the same content, as far as hashes tell; null while nobody knows. */
  sameContent(a: number, b: number): boolean | null {
    if (a === b) return true
    if (this.sizeOf(a) !== this.sizeOf(b)) return false
    if (this.sizeOf(a) === 0) return true
    for (const kind of ['crc32', 'crc64', 'sha256'] as const) {
      const [x, y] = [this.#hash(a, kind), this.#hash(b, kind)]
      if (x !== null && y !== null) return x === y
    }
    return null
  }

  /** CRC-32 of an inode's content, -1 where it is not known. */
  crcOf(inode: number): number {
    return this.#hash(inode, 'crc32') ?? -1
  }

  #hash(inode: number, kind: HashKind): number | null {
    const learnt = kind === 'crc32' ? this.#crcs.get(inode) : undefined
    if (learnt !== undefined) return learnt
    const layer = this.layerOf(inode)
    const index = this.layers[layer]!
    const entry = inode - this.#base[layer]!
    return index.hashKind === kind && index.hashed![entry] === 1 ? index.crc![entry]! : null
  }

  /** Tells the CRC-32 of contents that were hashed since. */
  setCrcs(layer: number, entries: Uint32Array, crcs: Uint32Array): void {
    entries.forEach((entry, i) => {
      this.#crcs.set(this.#base[layer]! + entry, crcs[i]!)
    })
  }

  /** Whiteouts and opaque directories act on what lies below, wherever they stand in the tar: they come first. */
  #hide(layer: number): void {
    const { entries, kind, node } = this.layers[layer]!
    for (let entry = 0; entry < entries; entry++) {
      if (kind[entry]! < Kind.whiteout) continue
      const at = this.#nodeOf[layer]![node[entry]!]!
      if (kind[entry] === Kind.opaque) {
        if (this.#kinds[at] === Kind.dir) this.#removeBelow(at, layer, 'opaque')
      } else if (this.#kinds[at] !== NOTHING && at !== 0) {
        this.#removeBelow(at, layer, 'deleted')
        this.#drop(at, layer, 'deleted')
        this.#set(at, ABSENT, NOTHING)
      } else if (this.#touched[at] === 0) {
        this.#anomaly(layer, at, 'whiteout-missing', 'a whiteout of something that no lower layer has')
      }
    }
  }

  #lay(layer: number, from: number, to: number): void {
    const { kind, node } = this.layers[layer]!
    const nodeOf = this.#nodeOf[layer]!
    const base = this.#base[layer]!
    const parent = this.tree.parent
    for (let entry = from; entry < to; entry++) {
      const type = kind[entry]!
      if (type >= Kind.whiteout) continue
      const at = nodeOf[node[entry]!]!
      if (at === 0) {
        if (type === Kind.dir) this.#set(0, base + entry, Kind.dir)
        else this.#refuseRoot(layer, entry)
        continue
      }
      if (this.#kinds[parent[at]!] !== Kind.dir) this.#imply(parent[at]!, layer)
      // A link binds before its own name is taken away: a link to itself keeps what it names.
      if (type === Kind.hardlink) this.#bind(layer, entry)
      else this.#ledger.name(layer, entry)
      const existing = this.#kinds[at]!
      if (existing === Kind.dir) {
        if (type !== Kind.dir) this.#removeBelow(at, layer, 'replaced')
      } else if (existing !== NOTHING) {
        this.#drop(
          at,
          layer,
          isFile(existing) && isFile(type) ? 'overwritten' : existing === type ? 'overwritten' : 'replaced',
        )
      }
      this.#set(at, base + entry, type)
    }
  }

  /** The root is a directory and stays one; what claims its place is stored for nothing. */
  #refuseRoot(layer: number, entry: number): void {
    this.#anomaly(layer, 0, 'root-replaced', 'an entry that is no directory stands for the root')
    this.#ledger.lose(layer, entry, { node: 0, ref: this.refOf(layer, entry), lostIn: layer, cause: 'shadowed' })
  }

  /** Makes directories of a path and of what leads to it, where no entry says so; what is no directory goes (rule 5). */
  #imply(node: number, layer: number): void {
    const missing: number[] = []
    for (let at = node; this.#kinds[at] !== Kind.dir; at = this.tree.parent[at]!) missing.push(at)
    for (const at of missing.reverse()) {
      if (this.#kinds[at] !== NOTHING) this.#drop(at, layer, 'replaced')
      this.#set(at, IMPLIED, Kind.dir)
    }
  }

  /** Binds a hard link to what its target is in its own layer so far, else to the lower one (rule 8). */
  #bind(layer: number, entry: number): void {
    const index = this.layers[layer]!
    const id = index.link[entry]!
    const bytes = index.linkBytes.subarray(id === 0 ? 0 : index.linkStart[id - 1]!, index.linkStart[id]!)
    const target = id === 0 ? -1 : this.tree.find(bytes)
    const ref = target < 0 ? ABSENT : this.#current[target]!
    const inode = ref < 0 || this.kindOf(ref) === Kind.dir ? -1 : this.inodeOf(ref)
    this.#links[layer] ??= new Int32Array(index.entries).fill(-1)
    this.#links[layer]![entry] = inode
    if (inode >= 0) return this.#ledger.name(...this.#place(inode))
    const at = this.#nodeOf[layer]![index.node[entry]!]!
    this.#anomaly(layer, at, 'dangling-hardlink', 'a hard link to something that is not there')
  }

  #removeBelow(node: number, layer: number, cause: Cause): void {
    const { firstChild, nextSibling } = this.tree
    const todo = [node]
    while (todo.length > 0) {
      const at = todo.pop()!
      for (let child = firstChild[at]!; child !== 0; child = nextSibling[child]!) {
        if (this.#kinds[child] === NOTHING) continue
        if (this.#kinds[child] === Kind.dir) todo.push(child)
        this.#drop(child, layer, cause)
        this.#set(child, ABSENT, NOTHING)
      }
    }
  }

  /** Takes a name from the inode at a node; the last one to go makes its bytes waste. */
  #drop(node: number, layer: number, cause: Cause): void {
    const ref = this.#current[node]!
    if (ref < 0 || this.#kinds[node] === Kind.dir) return
    const inode = this.inodeOf(ref)
    if (ref >= this.#base[layer]!) {
      cause = 'shadowed'
      this.#anomaly(layer, node, 'duplicate-path', 'the path stands in the layer more than once; the last one counts')
    }
    if (inode >= 0)
      this.#ledger.unname(...this.#place(inode), { node: this.nodeOf(inode), ref: inode, lostIn: layer, cause })
  }

  #place(ref: number): [layer: number, entry: number] {
    const layer = this.layerOf(ref)
    return [layer, ref - this.#base[layer]!]
  }

  #set(node: number, ref: number, kind: number): void {
    if (this.#touched[node] === 0) {
      this.#touched[node] = 1
      const at = this.#touchedCount++
      if (at === this.#touchedNodes.length) this.#growTouched()
      this.#touchedNodes[at] = node
      this.#touchedBefore[at] = this.#current[node]!
    }
    this.#current[node] = ref
    this.#kinds[node] = kind
  }

  /** Keeps of what was touched only what is different now. */
  #settle(): void {
    const nodes = this.#touchedNodes
    const before = this.#touchedBefore
    let kept = 0
    for (let i = 0; i < this.#touchedCount; i++) {
      if (before[i] === this.#current[nodes[i]!]) continue
      nodes[kept] = nodes[i]!
      before[kept++] = before[i]!
    }
    const delta = { nodes: nodes.slice(0, kept), before: before.slice(0, kept), after: new Int32Array(kept) }
    for (let i = 0; i < kept; i++) delta.after[i] = this.#current[delta.nodes[i]!]!
    this.deltas.push(delta)
    this.#touchedNodes = new Uint32Array(1024)
    this.#touchedBefore = new Int32Array(1024)
    this.#touchedCount = 0
  }

  #growTouched(): void {
    const length = this.#touchedNodes.length * 2
    this.#touchedNodes = new Uint32Array(this.#touchedNodes.buffer.transfer(length * 4))
    this.#touchedBefore = new Int32Array(this.#touchedBefore.buffer.transfer(length * 4))
  }

  #grow(): void {
    const nodes = this.tree.nodes
    this.#touched = new Uint8Array(nodes)
    if (nodes <= this.#current.length) return
    const current = new Int32Array(nodes).fill(ABSENT, this.#current.length)
    current.set(this.#current)
    const kinds = new Uint8Array(nodes).fill(NOTHING, this.#kinds.length)
    kinds.set(this.#kinds)
    this.#current = current
    this.#kinds = kinds
  }

  #anomaly(layer: number, node: number, kind: string, text: string): void {
    if (this.anomalies.length < MAX_ANOMALIES) this.anomalies.push({ layer, path: this.tree.path(node), kind, text })
  }
}

function isFile(kind: number): boolean {
  return kind === Kind.file || kind === Kind.hardlink
}
