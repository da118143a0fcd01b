/**
 * The index of a layer from the tar-split that a zstd:chunked blob may carry beside its table of contents: asked for only
 * where the table has lost bytes of names, for it is larger. Entries stand in the order of the table.
 */
import { createHash } from 'node:crypto'
import { Fault } from '../../base/errors.ts'
import type { Digest } from '../../image/types.ts'
import type { LayerIndex } from '../../layer/layer-index.ts'
import { TarScanner } from '../../layer/tar-scanner.ts'
import { TarSplitReader } from '../../layer/tar-split.ts'
import { LayerSink } from '../index-region.ts'
import { createInflate } from '../inflate.ts'

/** The index; null when it does not have the entries of the one from the table. @throws Fault when it is another or broken. */
export async function splitIndex(
  packed: Uint8Array,
  { name, digest, toc }: { name: string; digest: Digest; toc: LayerIndex },
): Promise<LayerIndex | null> {
  const what = `The tar-split of ${name}`
  const actual = `sha256:${createHash('sha256').update(packed).digest('hex')}`
  if (actual !== digest) throw new Fault(`${what} has the digest ${actual}; its table of contents says ${digest}.`)
  const builder = new LayerSink({ name, hash: false, layer: null })
  const scanner = new TarScanner(builder, { name, checked: true })
  const reader = new TarSplitReader(scanner, builder, name)
  const inflate = createInflate('zstd', chunk => reader.push(chunk), { name: what })
  try {
    await inflate.push(packed)
    await inflate.end()
  } finally {
    inflate.close()
  }
  reader.end()
  const index = builder.finish({ tarBytes: scanner.position, diffId: null })
  return isSame(index, toc) ? index : null
}

function isSame(one: LayerIndex, other: LayerIndex): boolean {
  if (one.entries !== other.entries) return false
  return one.kind.every((kind, entry) => kind === other.kind[entry] && one.size[entry] === other.size[entry])
}
