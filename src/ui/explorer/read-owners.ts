/** The names that the image of a step gives to owners, read from it in the background. */
import { Kind } from '../../layer/entry.ts'
import type { Image } from '../../source/types.ts'
import { OWNER_FILE_BYTES, type Owners, readNames } from './owners.ts'
import type { Scene } from './scene.ts'

export interface OwnerNames {
  /** Reads those of a scene where its files are others than those that were read last. */
  read(scene: Scene): void
  /** The next scene's are read in any case. */
  forget(): void
}

export function readOwners(
  image: Image,
  { signal, found }: { signal: AbortSignal; found(owners: Owners): void },
): OwnerNames {
  let last = -1
  const read = async (scene: Scene) => {
    const files = ['etc/passwd', 'etc/group'].map(path => inodeAt(scene, path))
    const key = files[0]! * 31 + files[1]!
    if (key === last) return
    last = key
    const [users, groups] = await Promise.all(files.map(inode => namesIn(scene, inode)))
    if (!signal.aborted && last === key) found({ users: users!, groups: groups! })
  }
  const namesIn = async ({ stack }: Scene, inode: number): Promise<Map<number, string>> => {
    if (inode < 0) return new Map()
    const chunks: Uint8Array[] = []
    try {
      const options = { end: Math.min(stack.sizeOf(inode), OWNER_FILE_BYTES), signal }
      const content = image.readFile(stack.layerOf(inode), stack.indexOf(inode), options)
      for await (const chunk of content) chunks.push(chunk)
    } catch {
      return new Map()
    }
    return readNames(Buffer.concat(chunks))
  }
  return {
    read: scene => void read(scene),
    forget() {
      last = -1
    },
  }
}

/** The file that a path shows in a scene, links left out; -1 when there is none. */
function inodeAt(scene: Scene, path: string): number {
  const node = scene.stack.tree.find(Buffer.from(path))
  if (node < 0 || !scene.shown(node) || scene.letter(node) === 'D') return -1
  const ref = scene.ref(node)
  if (ref < 0) return -1
  const inode = scene.stack.inodeOf(ref)
  return inode >= 0 && scene.stack.kindOf(inode) === Kind.file ? inode : -1
}
