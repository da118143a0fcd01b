/**
 * Answers the one question that headers leave open: whether a file that was stored again with the same size and the
 * same metadata has other content. Only such pairs are read, in the background.
 */
import type { ChangeSet } from '../../layer/changes.ts'
import type { Stack } from '../../layer/stack.ts'
import type { Image } from '../../source/types.ts'

/** More than this is not read without being asked for. */
export const CONTENT_BYTES = 1 << 30

/** How many bytes would have to be read to answer the open pairs. */
export function openBytes(stack: Stack, unknown: ChangeSet['unknown']): number {
  let bytes = 0
  for (const { before, after } of unknown) {
    if (stack.crcOf(before) < 0) bytes += stack.sizeOf(before)
    if (stack.crcOf(after) < 0) bytes += stack.sizeOf(after)
  }
  return bytes
}

/** Hashes what is open and tells the stack. The changes have to be asked for anew afterwards. */
export async function compareContents(
  image: Image,
  stack: Stack,
  unknown: ChangeSet['unknown'],
  signal: AbortSignal,
): Promise<void> {
  const wanted = new Map<number, Set<number>>()
  for (const inode of unknown.flatMap(pair => [pair.before, pair.after])) {
    if (stack.crcOf(inode) >= 0) continue
    const layer = stack.layerOf(inode)
    const entries = wanted.get(layer) ?? new Set()
    wanted.set(layer, entries.add(stack.indexOf(inode)))
  }
  await Promise.all(
    [...wanted].map(async ([layer, set]) => {
      const entries = Uint32Array.from(set).sort()
      const crcs = await image.hashFiles(layer, entries, { signal })
      if (!signal.aborted) stack.setCrcs(layer, entries, crcs)
    }),
  )
}
