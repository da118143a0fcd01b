/** The index of an upper layer as the stack takes it: the columns as they are now, cut to the paths that are changes. */
import { Kind } from '../layer/entry.ts'
import type { LayerIndex } from '../layer/layer-index.ts'
import { DELETED, type LiveColumns, NOTHING } from './live-columns.ts'

/**
 * Names are names here: a file called `.wh.x` hides nothing in an upper directory. The names are shared with the columns,
 * which only ever add to them; everything else is a copy of a few milliseconds for a hundred thousand paths.
 */
export function liveIndex(live: LiveColumns): LayerIndex {
  const { tree, columns, rare } = live
  const { nodes } = tree
  const entries = live.count()
  const node = new Uint32Array(entries)
  const kind = new Uint8Array(entries)
  const mode = new Uint16Array(entries)
  const owner = new Uint32Array(entries)
  const size = new Float64Array(entries)
  const mtime = new Float64Array(entries)
  const nsec = new Uint32Array(entries)
  const link = new Uint32Array(entries)
  const owners = ownerTable()
  const targets: Uint8Array[] = []
  let stored = 0
  let at = 0
  for (let from = 0; from < nodes; from++) {
    if (columns.op[from] === NOTHING) continue
    const deleted = columns.op[from] === DELETED
    node[at] = from
    kind[at] = deleted ? Kind.whiteout : columns.kind[from]!
    mode[at] = columns.mode[from]!
    owner[at] = owners.id(columns.uid[from]!, columns.gid[from]!)
    if (kind[at] === Kind.file) stored += size[at] = columns.size[from]! || 0
    mtime[at] = columns.mtime[from]!
    nsec[at] = columns.nsec[from]!
    const target = rare.link.size > 0 && !deleted ? rare.link.get(from) : undefined
    if (target) link[at] = targets.push(target)
    at++
  }
  return {
    entries,
    nodes,
    parent: tree.parent.subarray(0, nodes),
    nameStart: tree.nameStart.subarray(0, nodes + 1),
    names: tree.names.subarray(0, tree.nameStart[nodes]!),
    node,
    kind,
    mode,
    owner,
    size,
    mtime,
    nsec,
    offset: null,
    crc: null,
    hashed: null,
    hashKind: null,
    link,
    xattr: null,
    devices: new Float64Array(0),
    owners: Float64Array.from(owners.pairs),
    ...linkColumns(targets),
    xattrs: [],
    tarBytes: 0,
    stored,
    diffId: null,
    anomalies: [],
    lineage: live.lineage,
  }
}

function ownerTable(): { pairs: number[]; id(uid: number, gid: number): number } {
  const pairs: number[] = []
  const ids = new Map<string, number>()
  let last = -1
  return {
    pairs,
    id(uid, gid) {
      if (last >= 0 && pairs[last * 2] === uid && pairs[last * 2 + 1] === gid) return last
      const key = `${uid}:${gid}`
      last = ids.get(key) ?? pairs.length / 2
      if (last === pairs.length / 2) {
        ids.set(key, last)
        pairs.push(uid, gid)
      }
      return last
    },
  }
}

function linkColumns(targets: readonly Uint8Array[]): Pick<LayerIndex, 'linkStart' | 'linkBytes'> {
  const linkStart = new Uint32Array(targets.length + 1)
  for (const [at, target] of targets.entries()) linkStart[at + 1] = linkStart[at]! + target.length
  const linkBytes = new Uint8Array(linkStart[targets.length]!)
  for (const [at, target] of targets.entries()) linkBytes.set(target, linkStart[at]!)
  return { linkStart, linkBytes }
}
