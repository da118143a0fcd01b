/** The content of one file of a layer in chunks, without blocking: stored pieces by position, holes as zeros. */
import { Fault } from '../base/errors.ts'
import { safeBytes } from '../base/text.ts'
import { cancelled } from './cancel.ts'
import { type Region, readChunks } from './region.ts'
import { type Body, locateBody, MAX_HEADERS, stretches } from './tar-body.ts'

export interface ReadOptions {
  /** Of the layer, for errors. */
  name: string
  /** Bytes of the content. */
  start: number
  end: number
  signal?: AbortSignal | undefined
}

const CHUNK = 256 << 10

/** Headers are this long at most, but for the rare file with large attributes. */
const FEW_HEADERS = 64 << 10

/** @throws Fault when the layer is truncated there, or is not what was indexed any more. */
export async function* readBody(
  region: Region,
  offset: number,
  path: Uint8Array,
  options: ReadOptions,
): AsyncGenerator<Uint8Array> {
  const { name, start, end, signal } = options
  const body = await locate(region, offset, path, options)
  for (const stretch of stretches(body, start, end)) {
    if ('zeros' in stretch) {
      for (let left = stretch.zeros; left > 0; left -= CHUNK) {
        if (signal?.aborted) throw cancelled()
        yield new Uint8Array(Math.min(left, CHUNK))
      }
      continue
    }
    let missing = stretch.length
    for await (const chunk of readChunks(region, stretch.at, stretch.at + stretch.length, signal)) {
      missing -= chunk.length
      yield chunk
    }
    if (missing > 0) throw new Fault(`${name} is truncated: “${safeBytes(path)}” is ${missing} bytes short.`)
  }
}

async function locate(region: Region, offset: number, path: Uint8Array, { name, signal }: ReadOptions): Promise<Body> {
  for (const headers of [FEW_HEADERS, MAX_HEADERS]) {
    if (region.ready) await region.ready(offset + headers, signal)
    const body = locateBody(region, offset, path, name)
    if (body !== null) return body
    if (!region.ready) break
  }
  throw new Fault(`${name} is truncated: the header of “${safeBytes(path)}” is not there.`)
}
