/** The words after `type:` of the filter language. */
import { Kind } from '../../layer/entry.ts'
import type { Stack } from '../../layer/stack.ts'
import type { TypeWord } from './filter-language.ts'

/** Whether what stands at the reference is of the type: a hard link is a `file` as well as a `hard`. */
export function describesType(stack: Stack, ref: number, type: TypeWord): boolean {
  const kind = stack.kindOf(ref)
  const isFile = kind === Kind.file || kind === Kind.hardlink
  if (type === 'file') return isFile
  if (type === 'dir') return kind === Kind.dir
  if (type === 'link') return kind === Kind.symlink
  if (type === 'hard') return kind === Kind.hardlink
  if (type === 'device') return kind === Kind.char || kind === Kind.block
  if (type === 'fifo') return kind === Kind.fifo
  if (type === 'empty') return isFile && stack.sizeOf(ref) === 0
  if (!isFile || ref < 0) return false
  const mode = stack.layers[stack.layerOf(ref)]!.mode[stack.indexOf(ref)]!
  return type === 'exec' ? (mode & 0o111) !== 0 : (mode & 0o6000) !== 0
}
