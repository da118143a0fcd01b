/** The thread's side of an archive that passes by once: takes its bytes from a file or a port, tells what is in it. */
import type { MessagePort } from 'node:worker_threads'
import { Fault } from '../base/errors.ts'
import { type ArchiveIndexer, archiveIndexer } from './archive-indexer.ts'
import { type Control, cancelled } from './cancel.ts'
import { keepIndex } from './index-cache.ts'
import { createInflate, type Inflate } from './inflate.ts'
import { type Job, transferable } from './jobs.ts'
import { type Region, readInto } from './region.ts'
import { compressionOf, looksLikeTar, SNIFF_BYTES } from './sniff.ts'
import { spoolWriter } from './spool-writer.ts'
import type { StreamEnd, StreamItem } from './stream-items.ts'

type StreamJob = Extract<Job, { kind: 'stream' }>

const CHUNK = 256 << 10
/** What may follow the end of an archive before nobody reads it any more; tar pads to some kilobytes. */
const MAX_BEHIND = 16 << 20

/** Reads the archive to its end, or to where it breaks. @throws Fault when it is no archive at all. */
export async function readStream(
  { name, region, chunks, items, spool, cacheFolder }: StreamJob,
  control: Control,
): Promise<StreamEnd> {
  const tell = (item: StreamItem) => {
    if (cacheFolder !== null) keepLayer(item, cacheFolder)
    send(items, item)
  }
  const reader = streamReader(name, tell, spool)
  try {
    if (region !== null) await pull(region, reader, control)
    else await receive(chunks!, items, reader, control)
    return await reader.end()
  } finally {
    reader.close()
    send(items, { type: 'end' })
    items.close()
    chunks?.close()
  }
}

async function pull(region: Region, reader: StreamReader, control: Control): Promise<void> {
  const buffer = new Uint8Array(new ArrayBuffer(CHUNK))
  for (let at = 0; !reader.done; ) {
    control.check()
    const got = readInto(region, at, buffer)
    if (got === 0) return
    const work = reader.push(buffer.subarray(0, got))
    if (work) await work
    at += got
    control.progress(at, region.size)
  }
}

/** Takes chunks from the port, one after the other, and answers each when it is done with: that is the back-pressure. */
function receive(chunks: MessagePort, items: MessagePort, reader: StreamReader, control: Control): Promise<void> {
  return new Promise((resolve, reject) => {
    let turn = Promise.resolve()
    let taken = 0
    let behind = 0
    chunks.on('message', (chunk: Uint8Array | null) => {
      turn = turn.then(async () => {
        if (chunk === null) return resolve()
        control.check()
        if (!reader.done) await reader.push(chunk)
        else if ((behind += chunk.length) > MAX_BEHIND) return resolve()
        taken += chunk.length
        control.progress(taken, null)
        send(items, { type: 'taken', bytes: chunk.length })
      })
      turn.catch(reject)
    })
    chunks.on('close', () => reject(cancelled()))
  })
}

interface StreamReader {
  push(chunk: Uint8Array): void | Promise<void>
  end(): Promise<StreamEnd>
  close(): void
  readonly done: boolean
}

/** Decompresses the archive where it is compressed, keeps its plain bytes where they are wanted, and indexes it. */
function streamReader(name: string, tell: (item: StreamItem) => void, spool: number | null): StreamReader {
  let head = new Uint8Array(0)
  let inflate: Inflate | null = null
  let indexer: ArchiveIndexer | null = null
  let slow: Promise<void> | null = null
  let plainHead: Uint8Array | null = new Uint8Array(0)
  let bytes = 0
  const keep = spool === null ? null : spoolWriter(spool, name)

  function plain(chunk: Uint8Array): void {
    bytes += chunk.length
    keep?.write(chunk)
    if (slow !== null) {
      const copy = chunk.slice()
      slow = slow.then(() => feed(copy))
    } else slow = feed(chunk) ?? null
  }

  function feed(chunk: Uint8Array): void | Promise<void> {
    if (indexer === null) {
      plainHead = Buffer.concat([plainHead!, chunk])
      if (plainHead.length < SNIFF_BYTES) return
      if (!looksLikeTar(plainHead)) throw notAnArchive(name)
      indexer = archiveIndexer(name, tell)
      chunk = plainHead
      plainHead = null
    }
    if (!indexer.done) return indexer.push(chunk)
  }

  function begin(chunk: Uint8Array): Uint8Array | null {
    head = Buffer.concat([head, chunk])
    if (head.length < SNIFF_BYTES) return null
    inflate = createInflate(compressionOf(head), plain, { name, check: true })
    return head
  }

  async function settle(work: void | Promise<void>): Promise<void> {
    await work
    await slow
    slow = null
  }

  return {
    push(chunk) {
      const next = inflate === null ? begin(chunk) : chunk
      if (next === null) return
      const work = inflate!.push(next)
      if (work !== undefined || slow !== null) return settle(work)
    },
    async end() {
      try {
        if (inflate === null) inflate = createInflate(compressionOf(head), plain, { name, check: true })
        if (head.length < SNIFF_BYTES) await settle(inflate.push(head))
        if (!indexer?.done) await settle(inflate.end())
        if (indexer === null) throw notAnArchive(name)
        await indexer.end()
        keep?.end(bytes)
        return { bytes, broken: null }
      } catch (error) {
        if (!(error instanceof Fault) || indexer === null || error.exitCode === 130) throw error
        await indexer.end().catch(() => {})
        keep?.end(bytes)
        return { bytes, broken: { message: error.message, hint: error.hint, exitCode: error.exitCode, partial: null } }
      }
    },
    close: () => inflate?.close(),
    get done() {
      return indexer?.done ?? false
    },
  }
}

export function notAnArchive(name: string): Fault {
  return new Fault(`${name} is no image archive: it is not a tar.`, {
    hint: 'Strata opens what docker save, podman save, skopeo copy and the like write, and OCI layouts.',
  })
}

/** Its bytes were hashed as they passed by: the index may be kept under the diffID that they have. */
function keepLayer(item: StreamItem, folder: string): void {
  if (item.type === 'file' && item.layer?.index.diffId && item.layer.digest)
    keepIndex({ folder, identity: null, diffId: null, tarBytes: null }, item.layer)
}

/** Hands an item over; what is large in it is not copied. */
function send(items: MessagePort, item: StreamItem): void {
  if (item.type !== 'file') return items.postMessage(item)
  const layer = item.layer === null ? null : transferable(item.layer.index)
  const partial = item.fault?.partial ? transferable(item.fault.partial) : null
  const message = {
    ...item,
    layer: layer === null ? null : { ...item.layer, index: layer.index },
    fault: item.fault === null ? null : { ...item.fault, partial: partial?.index ?? null },
  }
  const content = item.content === null ? [] : [item.content.buffer as ArrayBuffer]
  items.postMessage(message, [...(layer?.buffers ?? []), ...(partial?.buffers ?? []), ...content])
}
