/**
 * An opened image that lives in memory: layer tars through the real scanner and index, contents out of the tar's bytes.
 * What the screens are tested on; no file, no worker, no engine.
 */

import { crc32 } from 'node:zlib'
import { Fault } from '../../src/base/errors.ts'
import { parseConfig } from '../../src/image/config.ts'
import { chainIds, digestOf } from '../../src/image/digest.ts'
import { stepsOf } from '../../src/image/steps.ts'
import { IndexBuilder } from '../../src/layer/index-builder.ts'
import type { LayerIndex } from '../../src/layer/layer-index.ts'
import { TarScanner } from '../../src/layer/tar-scanner.ts'
import { copyTar } from '../../src/source/copy-tar.ts'
import type { Image } from '../../src/source/types.ts'

export interface MemoryImageOptions {
  /** Layer tars, bottom first. */
  layers: Uint8Array[]
  history?: Record<string, unknown>[]
  config?: Record<string, unknown>
  names?: string[]
  reference?: string
  /** Waited for before a layer's index is handed out: tests decide when a layer lands. */
  gate?(layer: number, onProgress: (done: number, total: number) => void, signal?: AbortSignal): Promise<void>
  /** Layers that fail with this message; what could be read of them comes along. */
  broken?: Record<number, string>
}

/** Opened as a source would open it. */
export function memoryImage(options: MemoryImageOptions): Image {
  const { layers, names = ['myapp:1'], gate, broken = {} } = options
  const diffIds = layers.map(tar => digestOf(tar))
  const chain = chainIds(diffIds)
  const created = '2026-01-02T03:04:05Z'
  const rawConfig = {
    os: 'linux',
    architecture: 'amd64',
    created,
    config: options.config ?? {},
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: (options.history ?? layers.map((_, at) => ({ created_by: `layer ${at}` }))).map(line => ({
      created,
      ...line,
    })),
  }
  const { config } = parseConfig(rawConfig)
  const content = (layer: number, entry: number) => {
    const { size, offset } = indexes(layer)
    const start = bodyStart(layers[layer]!, offset![entry]!)
    return layers[layer]!.subarray(start, start + size[entry]!)
  }
  const known = new Map<number, LayerIndex>()
  const indexes = (layer: number) => {
    const index = known.get(layer) ?? indexOf(layers[layer]!, layer, false)
    known.set(layer, index)
    return index
  }
  const image: Image = {
    reference: options.reference ?? 'myapp:1',
    names,
    source: 'docker-archive',
    id: digestOf(JSON.stringify(rawConfig)),
    digest: null,
    platform: config.platform,
    config,
    rawConfig,
    steps: stepsOf(config.history, layers.length),
    layers: layers.map((tar, index) => ({
      index,
      diffId: diffIds[index]!,
      chainId: chain[index]!,
      digest: null,
      mediaType: 'application/vnd.docker.image.rootfs.diff.tar',
      compressed: null,
      roughBytes: tar.length,
    })),
    anomalies: [],
    async indexLayer(layer, work) {
      await gate?.(layer, (done, total) => work?.onProgress?.({ done, total }), work?.signal)
      work?.signal?.throwIfAborted()
      const message = broken[layer]
      if (message) throw Object.assign(new Fault(message), { partial: indexOf(layers[layer]!, layer, true) })
      return indexes(layer)
    },
    async *readFile(layer, entry, { start = 0, end = Number.POSITIVE_INFINITY, signal } = {}) {
      const bytes = content(layer, entry).subarray(start, end)
      for (let at = 0; at < bytes.length; at += 65_536) {
        signal?.throwIfAborted()
        yield bytes.subarray(at, at + 65_536)
      }
    },
    async *layerTar(layer) {
      yield layers[layer]!
    },
    copyLayer(layer, to, work) {
      return copyTar(image.layerTar(layer), to, work)
    },
    async documents() {
      return { config: Buffer.from(JSON.stringify(rawConfig)), manifest: null }
    },
    async hashFiles(layer, entries) {
      return entries.map(entry => crc32(content(layer, entry)))
    },
    async close() {},
  }
  return image
}

/** `half`: only the first half of the entries is there, as when a tar is cut. */
function indexOf(tar: Uint8Array, layer: number, half: boolean): LayerIndex {
  const builder = new IndexBuilder({ layer })
  let entries = 0
  const count = new TarScanner({ entry: () => void entries++ })
  count.push(tar)
  let seen = 0
  const scanner = new TarScanner(half ? { entry: one => void (seen++ < entries / 2 && builder.entry(one)) } : builder)
  scanner.push(tar)
  scanner.end()
  return builder.finish({ tarBytes: tar.length, diffId: null })
}

/** Where the body of the entry with its first header block at `offset` begins. */
function bodyStart(tar: Uint8Array, offset: number): number {
  let start = -1
  const scanner: TarScanner = new TarScanner({
    entry() {
      if (start < 0) start = offset + scanner.bodyOffset
    },
  })
  scanner.push(tar.subarray(offset))
  return start
}
