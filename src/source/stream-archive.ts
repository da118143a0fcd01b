/**
 * An archive that passes by once: standard input, `docker save`, a file that is compressed as a whole. One pass in a
 * worker thread indexes its layers; its files are then a Folder like any other. Without the bytes themselves nothing
 * but the indexes can be asked for; with `spool` they are kept in a temporary file without a name.
 */
import { closeSync } from 'node:fs'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { Fault } from '../base/errors.ts'
import type { Work } from '../base/progress.ts'
import { cancelled, onAbort } from './cancel.ts'
import { type Folder, lookUp, type Names, type StoredFile } from './folder.ts'
import { createPool, type Pool } from './pool.ts'
import { part, type Region } from './region.ts'
import { openSpool } from './spool-writer.ts'
import type { Failure, StreamItem } from './stream-items.ts'

export interface StreamOptions extends Work {
  /** What the person knows the stream by: `standard input`. */
  name: string
  pool: Pool
  /** Keep the plain bytes, in a temporary file in this folder where it can be written; null: do not. */
  spool?: { folder: string | null } | null
  /** The cache that keeps the indexes of its layers; null: none does. */
  cacheFolder?: string | null
  /** Told of every file as soon as it has come by: layers may be shown before the archive ends. */
  onFile?: (file: StoredFile) => void
}

export interface StreamFolder extends Folder {
  close(): void
}

/** Reads an archive from chunks as they come. No more than a few of them are on their way at any time. */
export async function readArchiveStream(
  stream: AsyncIterable<Uint8Array>,
  options: Omit<StreamOptions, 'pool'> & { pool?: Pool },
): Promise<StreamFolder> {
  const pool = options.pool ?? createPool(1)
  try {
    return await readThrough({ ...options, pool }, null, stream)
  } finally {
    if (options.pool === undefined) await pool.close()
  }
}

/** Reads an archive that lies compressed in a file: once, in a thread. `content` gives its plain bytes later, if at all. */
export async function readArchiveRegion(
  region: Region,
  options: StreamOptions,
  content: Region | null,
): Promise<StreamFolder> {
  return readThrough(options, region, null, content)
}

/** So many bytes may be on their way to the thread. */
const AHEAD = 4 << 20
/** Small chunks are put together before they are sent. */
const PARCEL = 128 << 10

async function readThrough(
  options: StreamOptions,
  region: Region | null,
  stream: AsyncIterable<Uint8Array> | null,
  content: Region | null = null,
): Promise<StreamFolder> {
  const { name, pool, signal, onProgress, spool = null, cacheFolder = null, onFile } = options
  const names: Names = new Map()
  const spoolFd = spool === null ? null : openSpool(spool.folder)
  const kept: Region | null = spoolFd === null ? content : { fd: spoolFd, start: 0, size: Number.MAX_SAFE_INTEGER }
  const items = new MessageChannel()
  const chunks = stream === null ? null : new MessageChannel()
  const credit = creditOf(AHEAD)
  const ended = new Promise<void>(resolve => {
    items.port1.on('message', (item: StreamItem) => {
      if (item.type === 'taken') credit.give(item.bytes)
      else if (item.type === 'end') resolve()
      else addItem(names, item, kept, onFile)
    })
    items.port1.on('close', resolve)
  })
  const stop = onAbort(signal, () => {
    chunks?.port1.close()
    credit.end()
  })
  try {
    const plainRegion = region === null ? null : { fd: region.fd, start: region.start, size: region.size }
    const job = {
      kind: 'stream' as const,
      name,
      region: plainRegion,
      chunks: chunks?.port2 ?? null,
      items: items.port2,
      spool: spoolFd,
      cacheFolder,
    }
    const transfer = [items.port2, ...(chunks === null ? [] : [chunks.port2])]
    const running = pool.run(job, { signal, onProgress, transfer, weight: Number.POSITIVE_INFINITY })
    const finished = running.finally(() => credit.end())
    const [end] = await Promise.all([finished, stream === null ? null : send(stream, chunks!.port1, credit)])
    if (signal?.aborted) throw cancelled()
    await ended
    return {
      name,
      kind: 'archive',
      file: path => lookUp(names, path, name),
      paths: () => names.keys(),
      broken: end.broken === null ? null : revive(end.broken),
      close() {
        if (spoolFd !== null) closeSync(spoolFd)
      },
    }
  } catch (error) {
    if (spoolFd !== null)
      closeSync(spoolFd)
      // A stream that nobody reads to its end: whoever writes it is to hear of that.
    ;(stream as { destroy?: () => void } | null)?.destroy?.()
    throw error
  } finally {
    stop.dispose()
    items.port1.close()
    chunks?.port1.close()
  }
}

/** Passes the stream on as fast as the thread takes it; stops asking for more when the thread has ended. */
async function send(stream: AsyncIterable<Uint8Array>, port: MessagePort, credit: Credit): Promise<void> {
  let parcel: Uint8Array[] = []
  let bytes = 0
  const post = async () => {
    const whole = Buffer.concat(parcel)
    parcel = []
    bytes = 0
    // A small Buffer lies in a pool that others use as well: only a copy of its own can be handed over.
    const own = whole.byteLength === whole.buffer.byteLength ? whole : new Uint8Array(whole)
    await credit.take(own.length)
    if (!credit.ended) port.postMessage(own, [own.buffer as ArrayBuffer])
  }
  try {
    for await (const chunk of stream) {
      if (credit.ended) return
      parcel.push(chunk)
      bytes += chunk.length
      if (bytes >= PARCEL) await post()
    }
    if (bytes > 0) await post()
    if (!credit.ended) port.postMessage(null)
  } catch (error) {
    // Without this the thread would wait for the rest.
    port.close()
    throw error
  }
}

interface Credit {
  take(bytes: number): Promise<void>
  give(bytes: number): void
  end(): void
  readonly ended: boolean
}

function creditOf(most: number): Credit {
  let left = most
  let ended = false
  let wake = () => {}
  return {
    async take(bytes) {
      while (left <= 0 && !ended) {
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
      left -= bytes
    },
    give(bytes) {
      left += bytes
      wake()
    },
    end() {
      ended = true
      wake()
    },
    get ended() {
      return ended
    },
  }
}

function addItem(
  names: Names,
  item: Exclude<StreamItem, { type: 'taken' | 'end' }>,
  kept: Region | null,
  onFile?: (file: StoredFile) => void,
): void {
  if (item.type === 'link') {
    names.set(item.path, { link: item.target })
    return
  }
  const { path, size, offset, digest, content, layer, fault } = item
  const file: StoredFile = {
    path,
    size,
    region: kept === null ? null : part(kept, offset, size),
    identity: null,
    passed: { content, digest, layer, fault: fault === null ? null : revive(fault) },
  }
  names.set(path, file)
  onFile?.(file)
}

function revive({ message, hint, exitCode, partial }: Failure): Fault {
  return Object.assign(new Fault(message, { exitCode, ...(hint === undefined ? {} : { hint }) }), { partial })
}
