/**
 * A layer that comes over the network through the indexer, chunk by chunk, without being kept: on a worker thread, with
 * no more than a few megabytes on their way; a small one here. What came must have the digest that was asked for.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { Fault } from '../../base/errors.ts'
import type { Work } from '../../base/progress.ts'
import type { Digest } from '../../image/types.ts'
import { type Control, cancelled, controlOf, onAbort } from '../cancel.ts'
import { keepIndex } from '../index-cache.ts'
import { brokenLayer, type IndexedLayer, LayerSink, openLayer } from '../index-region.ts'
import type { Pool } from '../pool.ts'
import { compressionOf, looksLikeTar, SNIFF_BYTES } from '../sniff.ts'
import { isCancelled } from './shared.ts'

export interface StreamedLayer {
  /** For errors: "layer 3 (1234…) of registry/name". */
  name: string
  layer: number
  /** Of the blob. */
  digest: Digest
  size: number
  /** Where to keep the index; null: nowhere. */
  folder: string | null
}

export type LayerStreamJob = StreamedLayer & { kind: 'layer-stream'; port: MessagePort }

/** So many bytes may be on their way to the thread. */
const AHEAD = 4 << 20
/** A blob up to so many bytes is indexed where it arrives: sooner done than handed to a thread. */
const SMALL = 256 << 10

/** Of the weight of a thread more: streams wait for the network more than for the processor. */
const WORTH_ANOTHER = 512 << 20

/** What the thread tells: bytes that it is done with. */
type Taken = number

/** @throws Fault with `partial`, see `brokenLayer`; cancelled when the signal is given. */
export async function indexStream(
  chunks: (signal?: AbortSignal) => AsyncIterable<Uint8Array>,
  of: StreamedLayer,
  pool: Pool,
  work: Work = {},
): Promise<IndexedLayer> {
  if (of.size <= SMALL) return indexHere(chunks(work.signal), of, controlOf(work.signal, work.onProgress))
  const { port1, port2 } = new MessageChannel()
  const stop = new AbortController()
  const signal = work.signal ? AbortSignal.any([work.signal, stop.signal]) : stop.signal
  let ahead = 0
  let wake = () => {}
  let begin = () => {}
  // The blob is asked for when there is a thread for it: a registry does not wait forever for somebody to read.
  const begun = new Promise<void>(resolve => {
    begin = resolve
  })
  port1.on('message', (taken: Taken) => {
    begin()
    ahead -= taken
    wake()
  })
  const send = async () => {
    await begun
    for await (const chunk of chunks(signal)) {
      const own = new Uint8Array(chunk)
      ahead += own.length
      port1.postMessage(own, [own.buffer])
      while (ahead > AHEAD && !signal.aborted) {
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
      if (signal.aborted) throw cancelled()
    }
    port1.postMessage(null)
  }
  const listening = onAbort(work.signal, () => {
    port1.close()
    wake()
    begin()
  })
  const job = { ...of, kind: 'layer-stream', port: port2 } as const
  const running = pool.run(job, { ...work, transfer: [port2], weight: WORTH_ANOTHER + of.size * 10 })
  const end = () => {
    stop.abort()
    begin()
    wake()
  }
  const sending = send().catch((error: unknown) => {
    // The thread would wait for more.
    port1.close()
    throw error
  })
  try {
    running.then(end, end)
    const [made, sent] = await Promise.allSettled([running, sending])
    if (made.status === 'fulfilled') return made.value
    // What broke the stream says more than that it ended.
    const lost = sent.status === 'rejected' && !isCancelled(sent.reason)
    throw lost ? brokenLayer(sent.reason, of.name, made.reason.partial ?? null) : made.reason
  } finally {
    listening.dispose()
    port1.close()
  }
}

async function indexHere(
  chunks: AsyncIterable<Uint8Array>,
  of: StreamedLayer,
  control: Control,
): Promise<IndexedLayer> {
  const indexer = streamIndexer(of)
  try {
    let done = 0
    for await (const chunk of chunks) {
      control.check()
      await indexer.push(chunk)
      done += chunk.length
      control.progress(done, of.size)
    }
    return await indexer.end()
  } finally {
    indexer.close()
  }
}

/** The thread's side: takes its chunks from the port and answers each when it is done with: that is the back-pressure. */
export function receiveLayer({ port, ...of }: LayerStreamJob, control: Control): Promise<IndexedLayer> {
  const indexer = streamIndexer(of)
  return new Promise<IndexedLayer>((resolve, reject) => {
    let turn = Promise.resolve()
    let done = 0
    let over = false
    port.on('message', (chunk: Uint8Array | null) => {
      if (chunk === null) over = true
      turn = turn.then(async () => {
        if (chunk === null) return resolve(await indexer.end())
        control.check()
        await indexer.push(chunk)
        done += chunk.length
        control.progress(done, of.size)
        port.postMessage(chunk.length satisfies Taken)
      })
      turn.catch(reject)
    })
    port.on('close', () => {
      if (!over) turn.then(() => reject(indexer.broken(cancelled())), reject)
    })
    port.postMessage(0 satisfies Taken)
  }).finally(() => {
    indexer.close()
    port.close()
  })
}

/** Sniffs the first bytes, then indexes; compares and keeps at the end. */
function streamIndexer(of: StreamedLayer) {
  const { name, layer, digest, folder } = of
  const builder = new LayerSink({ name, hash: true, layer })
  let head: Uint8Array = new Uint8Array(0)
  let reader: ReturnType<typeof openLayer> | null = null

  const broken = (error: unknown) => brokenLayer(error, name, builder.finish({ tarBytes: 0, diffId: null }))

  function begin() {
    const compression = compressionOf(head)
    if (compression === 'none' && head.length > 0 && !looksLikeTar(head))
      throw new Fault(`${name} is broken at offset 0: it is neither a tar nor compressed in a known way.`)
    reader = openLayer(compression, builder, name)
    return reader.push(head)
  }

  return {
    broken,
    async push(chunk: Uint8Array): Promise<void> {
      try {
        if (reader !== null) return await reader.push(chunk)
        head = Buffer.concat([head, chunk])
        if (head.length >= SNIFF_BYTES) await begin()
      } catch (error) {
        throw broken(error)
      }
    },
    async end(): Promise<IndexedLayer> {
      let made: IndexedLayer
      try {
        if (reader === null) await begin()
        made = await reader!.end()
      } catch (error) {
        throw broken(error)
      }
      const actual = made.digest ?? made.index.diffId
      if (digest.startsWith('sha256:') && actual !== digest)
        throw brokenLayer(
          new Fault(`${name} is not what the registry was asked for: its digest is ${actual}.`),
          name,
          null,
        )
      if (folder !== null) keepIndex({ folder, identity: null, diffId: null, tarBytes: null, prune: layer === 0 }, made)
      return made
    },
    close: () => reader?.close(),
  }
}
