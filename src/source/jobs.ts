/** What goes over to a worker thread and what comes back. Everything here can be cloned or transferred. */
import type { MessagePort } from 'node:worker_threads'
import type { Digest } from '../image/types.ts'
import type { LayerIndex } from '../layer/layer-index.ts'
import type { CacheSlot } from './index-cache.ts'
import type { IndexedLayer } from './index-region.ts'
import type { Region } from './region.ts'
import type { LayerStreamJob } from './remote/layer-stream.ts'
import type { TocIndex, TocJob } from './remote/toc-index.ts'
import type { Compression } from './sniff.ts'
import type { StoreHashJob } from './store-body.ts'
import type { TarSplitJob } from './store-index.ts'
import type { StreamEnd } from './stream-items.ts'

export type Job =
  /** Indexes a layer and keeps the index. */
  | {
      kind: 'index'
      name: string
      region: Region
      layer: number
      verify: boolean
      trust?: boolean
      slot: CacheSlot | null
    }
  /** CRC-32 of the contents of these entries; their headers stand at these offsets of the layer's plain tar. */
  | {
      kind: 'hash'
      name: string
      region: Region
      entries: Uint32Array
      offsets: Float64Array
      paths: Uint8Array[]
      slot: CacheSlot | null
    }
  /** Indexes a layer whose bytes arrive at a port. */
  | LayerStreamJob
  /** Indexes a layer from its own table of contents. */
  | ({ kind: 'toc' } & TocJob)
  /** Indexes a layer from the tar-split that an engine's store keeps of it. */
  | ({ kind: 'tar-split' } & TarSplitJob)
  /** CRC-32 of the contents of files in an engine's store. */
  | ({ kind: 'store-hash' } & StoreHashJob)
  /** Inflates a layer; its plain bytes go to the port, as fast as the gate lets them. */
  | { kind: 'pour'; name: string; region: Region; compression: Compression; port: MessagePort; gate: SharedArrayBuffer }
  /** Writes a layer into an open file as it is, and hashes it and the tar in it. */
  | { kind: 'copy'; name: string; region: Region; compression: Compression; to: number }
  /** Looks after blobs that are still being written, as the port brings them; see checker.ts. */
  | { kind: 'checks'; name: string; port: MessagePort; bell: SharedArrayBuffer }
  /** Reads an archive that passes by once: from a region, or from chunks that arrive at the port. */
  | {
      kind: 'stream'
      name: string
      region: Region | null
      chunks: MessagePort | null
      items: MessagePort
      spool: number | null
      /** The cache that keeps the indexes of its layers; null: none does. */
      cacheFolder: string | null
    }

export interface Result {
  index: IndexedLayer
  hash: Uint32Array
  'layer-stream': IndexedLayer
  toc: TocIndex
  'tar-split': LayerIndex
  'store-hash': Uint32Array
  pour: null
  copy: { digest: Digest; diffId: Digest; bytes: number; tarBytes: number }
  checks: null
  stream: StreamEnd
}

export type Answer =
  | { type: 'progress'; done: number; total: number | null }
  | { type: 'done'; value: unknown }
  | {
      type: 'failed'
      message: string
      hint: string | undefined
      exitCode: number
      partial: LayerIndex | null | undefined
    }

/** The buffers of an index, to be handed over instead of copied. Views of larger buffers are cut loose first. */
export function transferable(index: LayerIndex): { index: LayerIndex; buffers: ArrayBuffer[] } {
  const buffers: ArrayBuffer[] = []
  const own: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(index)) {
    const column = ArrayBuffer.isView(value) && !isWhole(value) ? (value as Uint8Array).slice() : value
    if (ArrayBuffer.isView(column)) buffers.push(column.buffer as ArrayBuffer)
    own[name] = column
  }
  return { index: own as unknown as LayerIndex, buffers }
}

function isWhole(view: ArrayBufferView): boolean {
  return view.byteOffset === 0 && view.byteLength === view.buffer.byteLength
}
