/** Where a symbolic link leads inside of the image: links on the way are followed, nothing leads out of the root. */
import { Kind } from '../../layer/entry.ts'
import type { Scene } from './scene.ts'

/** As many links as Linux follows in one path. */
const MOST_LINKS = 40
const SLASH = 0x2f

/** The node that a link shows in the end; null when it leads to nothing, or in circles. */
export function resolveLink(scene: Scene, node: number): number | null {
  const { stack } = scene
  let links = 0
  let at = node
  let rest: Uint8Array[] = []
  for (;;) {
    const target = linkOf(scene, at)
    if (target) {
      if (++links > MOST_LINKS) return null
      rest = [...components(target), ...rest]
      at = target[0] === SLASH ? 0 : stack.tree.parent[at]!
    } else if (rest.length === 0) return at
    const name = rest.shift()
    if (name === undefined) return at
    if (name.length === 1 && name[0] === 0x2e) continue
    if (name.length === 2 && name[0] === 0x2e && name[1] === 0x2e) {
      at = stack.tree.parent[at]!
      continue
    }
    if (!scene.isDir(at)) return null
    const child = stack.tree.child(at, name)
    if (child < 0 || !scene.shown(child)) return null
    at = child
  }
}

function linkOf(scene: Scene, node: number): Uint8Array | null {
  const ref = scene.ref(node)
  if (node === 0 || ref < 0 || scene.stack.kindOf(ref) !== Kind.symlink) return null
  return scene.stack.entry(ref).link
}

function components(path: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = []
  let start = 0
  for (let at = 0; at <= path.length; at++) {
    if (at < path.length && path[at] !== SLASH) continue
    if (at > start) parts.push(path.subarray(start, at))
    start = at + 1
  }
  return parts
}
