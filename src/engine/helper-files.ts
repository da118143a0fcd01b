/** Files out of a helper container: the engine hands them out as tars. */
import { createWriteStream } from 'node:fs'
import { join, posix } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { crc32 } from 'node:zlib'
import { extract } from 'tar-stream'
import { Fault } from '../base/errors.ts'
import { safe, safeBytes } from '../base/text.ts'
import type { StoreFile } from '../source/store-body.ts'
import { Crc64 } from '../source/store-crc64.ts'
import type { Helper } from './helper-container.ts'

/** Of all that is fetched for one image, bytes; the headers of half a million files take 50 MB. */
const MAX_BYTES = 2 ** 31

/**
 * Fetches the files that are wanted, each to a path of its own in `folder`, by their paths in the helper. `requests` are
 * the paths that are asked for: files, or folders with more in them than is wanted. What is not there is left out.
 */
export async function fetchFiles(
  helper: Helper,
  requests: readonly string[],
  wanted: ReadonlySet<string>,
  folder: string,
  signal?: AbortSignal,
): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  let left = MAX_BYTES
  for (const request of requests) {
    for await (const { header, body } of entriesOf(await helper.archive(request, signal))) {
      const path = posix.join(posix.dirname(request), header.name)
      const size = header.size ?? 0
      if (header.type !== 'file' || !wanted.has(path) || size > left) continue
      left -= size
      const file = join(folder, String(files.size))
      await pipeline(body, createWriteStream(file, { mode: 0o600 }), { signal })
      files.set(path, file)
    }
  }
  return files
}

/**
 * The content of one file, from `start` to `end`, as it comes. Whatever is in its way in the layer's folder the engine
 * may have followed, so it must be a file of the size and with the sum that the index has: the sum is known to be wrong
 * only at the end. @throws Fault
 */
export async function* readThrough(
  helper: Helper,
  path: string,
  file: StoreFile,
  { name, start, end, signal }: { name: string; start: number; end: number; signal?: AbortSignal | undefined },
): AsyncGenerator<Uint8Array> {
  const sums = { crc64: new Crc64(), crc32: 0 }
  for await (const { header, body } of entriesOf(await helper.archive(path, signal))) {
    if (header.type !== 'file' || header.size !== file.size) throw another(file, name)
    let at = 0
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      if (file.sum?.kind === 'crc64') sums.crc64.update(chunk)
      else sums.crc32 = crc32(chunk, sums.crc32)
      const piece = chunk.subarray(Math.max(0, start - at), Math.max(0, end - at))
      at += chunk.length
      if (piece.length > 0) yield piece
    }
    const sum = file.sum?.kind === 'crc64' ? sums.crc64.folded : sums.crc32
    if (file.sum?.value !== sum) throw another(file, name)
    return
  }
  throw another(file, name)
}

/** The entries of a tar, one at a time; the stream ends with whoever stops listening. */
async function* entriesOf(stream: Readable): AsyncGenerator<{ header: EntryHeader; body: Readable }> {
  const tar = extract()
  stream.on('error', error => tar.destroy(error))
  stream.pipe(tar)
  try {
    for await (const entry of tar as unknown as AsyncIterable<Readable & { header: EntryHeader }>) {
      yield { header: entry.header, body: entry }
      entry.resume()
    }
  } catch (error) {
    throw new Fault(`The engine’s answer is no whole tar: ${safe(String((error as Error)?.message ?? error))}.`, {
      cause: error,
    })
  } finally {
    stream.destroy()
    tar.destroy()
  }
}

interface EntryHeader {
  name: string
  size?: number
  type?: string
}

function another(file: StoreFile, name: string): Fault {
  return new Fault(
    `“${safeBytes(file.path)}” of ${name} is not what the layer holds: another file came from the engine.`,
  )
}
