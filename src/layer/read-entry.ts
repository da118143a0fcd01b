/** One entry of an index, whole: for what is on screen, never for all entries at once. */
import { type Entry, Kind } from './entry.ts'
import type { LayerIndex } from './layer-index.ts'
import { pathOf } from './path-tree.ts'

/** The entry with this number. Its path is normalised; a marker's is the path that it hides. */
export function entryOf(index: LayerIndex, entry: number): Entry {
  const owner = index.owner[entry]!
  const link = index.link[entry]!
  const xattr = index.xattr?.[entry] ?? 0
  const kind = index.kind[entry]! as Kind
  const device = kind === Kind.char || kind === Kind.block ? deviceOf(index, entry) : null
  return {
    path: pathOf(index, index.node[entry]!),
    kind,
    size: index.size[entry]!,
    mode: index.mode[entry]!,
    uid: index.owners[owner * 2]!,
    gid: index.owners[owner * 2 + 1]!,
    mtime: index.mtime[entry]!,
    nsec: index.nsec?.[entry] ?? 0,
    link: link === 0 ? null : index.linkBytes.subarray(index.linkStart[link - 1]!, index.linkStart[link]!),
    devMajor: device?.major ?? 0,
    devMinor: device?.minor ?? 0,
    xattrs: xattr === 0 ? null : index.xattrs[xattr - 1]!.attrs,
    sparse: false,
    offset: index.offset?.[entry] ?? -1,
  }
}

/** Device numbers stand in triples (entry, major, minor) in order of entries: devices are rare. */
export function deviceOf(index: LayerIndex, entry: number): { major: number; minor: number } {
  const { devices } = index
  let low = 0
  let high = devices.length / 3 - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const at = devices[middle * 3]!
    if (at === entry) return { major: devices[middle * 3 + 1]!, minor: devices[middle * 3 + 2]! }
    if (at < entry) low = middle + 1
    else high = middle - 1
  }
  return { major: 0, minor: 0 }
}
