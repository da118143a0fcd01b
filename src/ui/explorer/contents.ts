/**
 * Answers the one question that headers leave open: whether a file that was stored again with the same size and the
 * same metadata has other content. Only such pairs are read, in the background.
 */
import type { ChangeSet } from '../../layer/changes.ts'
import type { Stack } from '../../layer/stack.ts'
import type { Far } from '../../source/remote/far.ts'
import type { Image } from '../../source/types.ts'

/** More than this is not read without being asked for. */
export const CONTENT_BYTES = 1 << 30
/** The same of what has to come over the network. */
export const FAR_BYTES = 4 << 20

/** How many bytes would have to be read to answer the open pairs, or to come where the image is far away. */
export function openBytes(stack: Stack, unknown: ChangeSet['unknown'], far?: Far): number {
  const byLayer = new Map<number, number>()
  for (const inode of unknown.flatMap(pair => [pair.before, pair.after])) {
    if (stack.crcOf(inode) >= 0) continue
    const layer = stack.layerOf(inode)
    byLayer.set(layer, (byLayer.get(layer) ?? 0) + stack.sizeOf(inode))
  }
  const costs = [...byLayer].map(([layer, bytes]) => far?.contentCost(layer, bytes) ?? bytes)
  return costs.reduce((sum, bytes) => sum + bytes, 0)
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
