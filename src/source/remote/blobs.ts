/**
 * The blobs of a repository as a reader of layers wants them: parts by position, and whole ones as a stream that goes on
 * where a connection broke off. It counts what came over the network.
 */
import { Fault, isAbort } from '../../base/errors.ts'
import type { Digest } from '../../image/types.ts'
import { cancelled } from '../cancel.ts'
import type { BlobStream, Registry } from '../registry/types.ts'

export interface Blobs {
  /**
   * The bytes `from` up to but without `to` as they come; null: the registry hands out no parts, and will not be asked
   * for any again. @throws Fault when they do not all come.
   */
  part(digest: Digest, from: number, to: number, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array> | null>
  /** All of a blob from a position on. @throws Fault when it breaks off for good, or goes on past its size. */
  stream(blob: { digest: Digest; size: number }, from: number, signal?: AbortSignal): AsyncIterable<Uint8Array>
  /** Bytes of blobs that came so far. */
  transferred(): number
}

/** How often a stream that brings nothing more is taken up again. */
const TRIES = 4

export function blobsOf(registry: Registry): Blobs {
  let transferred = 0
  let parts = true
  /** The first question for a part: what comes of it holds for all, so the others wait. */
  let first: Promise<unknown> | null = null

  async function* counted({ body, close }: BlobStream): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        transferred += chunk.length
        yield chunk
      }
    } finally {
      close()
    }
  }

  /** The blob from a position on; what comes before it is passed over where the registry hands out no parts. */
  async function* openFrom(digest: Digest, from: number, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const answer = await registry.blob(digest, { ...(from > 0 ? { from } : {}), signal })
    let skip = from - answer.from
    for await (const chunk of counted(answer)) {
      if (skip < chunk.length) yield skip > 0 ? chunk.subarray(skip) : chunk
      skip = Math.max(0, skip - chunk.length)
    }
  }

  return {
    async part(digest, from, to, signal) {
      if (first !== null) await first
      if (!parts) return null
      const asking = registry.blob(digest, { from, to, signal })
      first ??= asking.then(
        answer => (parts = answer.status === 206),
        () => (first = null),
      )
      const answer = await asking
      if (answer.status === 200) {
        parts = false
        answer.close()
        return null
      }
      return exactly(counted(answer), to - from, digest)
    },
    async *stream({ digest, size }, from, signal) {
      let at = from
      for (let fails = 0; at < size; ) {
        try {
          for await (const chunk of openFrom(digest, at, signal)) {
            if (signal?.aborted) throw cancelled()
            at += chunk.length
            if (at > size) throw new Fault(`The registry sends more of the blob ${digest} than its ${size} bytes.`)
            fails = 0
            yield chunk
          }
          if (at < size) throw new Fault(`The registry sends only ${at} of the ${size} bytes of the blob ${digest}.`)
        } catch (error) {
          if (signal?.aborted || isAbort(error)) throw cancelled()
          if (at > size || ++fails === TRIES || (error instanceof Fault && at === from)) throw error
        }
      }
    },
    transferred: () => transferred,
  }
}

/** @throws Fault when there are fewer; more than that are not looked at. */
async function* exactly(chunks: AsyncIterable<Uint8Array>, length: number, digest: Digest): AsyncGenerator<Uint8Array> {
  let left = length
  for await (const chunk of chunks) {
    yield left < chunk.length ? chunk.subarray(0, left) : chunk
    left -= chunk.length
    if (left <= 0) return
  }
  if (left > 0)
    throw new Fault(`The registry sends ${length - left} of ${length} bytes of a part of the blob ${digest}.`)
}

/** Small bytes in one piece. */
export async function gathered(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = []
  for await (const chunk of chunks) all.push(chunk)
  return all.length === 1 ? all[0]! : Buffer.concat(all)
}
