/** A repository in memory: blobs by digest, counted as they go out, and ways to misbehave. */
import { Readable } from 'node:stream'
import { Fault } from '../../src/base/errors.ts'
import type { Registry } from '../../src/source/registry/types.ts'
import type { Blobs } from '../../src/source/remote/blobs.ts'
import { blobsOf } from '../../src/source/remote/blobs.ts'

export interface FarRepository {
  blobs: Blobs
  /** What was asked for, in order: `digest from-to`. */
  asked: string[]
  /** Bytes that went out. */
  sent(): number
}

export interface Misbehaviour {
  /** Parts are answered with all of the blob. */
  noParts?: boolean
  /** The connection is cut after so many bytes, as often as there are numbers. */
  cuts?: number[]
  /** What is sent in place of what is there. */
  change?: (bytes: Uint8Array, from: number) => Uint8Array
  /** Bytes of a chunk. */
  chunk?: number
}

export function farRepository(blobs: ReadonlyMap<string, Uint8Array>, misbehave: Misbehaviour = {}): FarRepository {
  const { noParts = false, change = bytes => bytes, chunk = 64 << 10 } = misbehave
  const cuts = [...(misbehave.cuts ?? [])]
  const asked: string[] = []
  let sent = 0

  function* chunks(bytes: Uint8Array): Generator<Uint8Array> {
    const cut = cuts.shift() ?? Number.POSITIVE_INFINITY
    for (let at = 0; at < bytes.length; at += chunk) {
      if (at >= cut) throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
      const piece = bytes.slice(at, Math.min(at + chunk, cut))
      sent += piece.length
      yield piece
    }
  }

  const registry: Pick<Registry, 'blob'> = {
    async blob(digest, { from = 0, to, signal } = {}) {
      const bytes = blobs.get(digest)
      if (bytes === undefined) throw new Fault(`There is no blob ${digest}.`)
      const isPart = !noParts && (from > 0 || to !== undefined)
      const begin = isPart ? from : 0
      asked.push(`${digest.slice(7, 11)} ${from}-${to ?? ''}`)
      const body = Readable.from(chunks(change(bytes.subarray(begin, isPart ? to : undefined), begin)))
      signal?.addEventListener('abort', () => body.destroy(signal.reason as Error), { once: true })
      async function* batches() {
        for await (const piece of body as AsyncIterable<Uint8Array>) yield [piece]
      }
      const close = () => void body.destroy()
      return { status: isPart ? 206 : 200, size: bytes.length, from: begin, body, batches, close }
    },
  }
  return { blobs: blobsOf(registry as Registry), asked, sent: () => sent }
}
