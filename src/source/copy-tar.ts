/** A layer's tar, as it comes, written into a file and hashed. */
import { createHash } from 'node:crypto'
import { write } from 'node:fs'
import { promisify } from 'node:util'
import type { Work } from '../base/progress.ts'
import type { CopiedLayer } from './types.ts'

const writeAsync = promisify(write)

/** @throws what the chunks throw, and what the system says when they can not be written. */
export async function copyTar(
  chunks: AsyncIterable<Uint8Array>,
  to: number,
  { onProgress }: Work = {},
): Promise<CopiedLayer> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of chunks) {
    hash.update(chunk)
    for (let at = 0; at < chunk.length; ) at += (await writeAsync(to, chunk, at)).bytesWritten
    bytes += chunk.length
    onProgress?.({ done: bytes, total: null })
  }
  const digest = `sha256:${hash.digest('hex')}`
  return { digest, diffId: digest, bytes, tarBytes: bytes, compression: 'none' }
}
