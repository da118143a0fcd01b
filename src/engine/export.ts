/**
 * An engine's export of one image, read while it arrives. Whoever asks for a layer waits for it; all share one export,
 * and it is broken off when nobody waits any more. Layers are there as they land, by the diffID that their bytes have.
 */
import { Fault } from '../base/errors.ts'
import type { Progress, Work } from '../base/progress.ts'
import { safe } from '../base/text.ts'
import type { Digest } from '../image/types.ts'
import type { LayerIndex } from '../layer/layer-index.ts'
import { type OpenOptions, openFolder } from '../source/open.ts'
import { readArchiveStream, type StreamFolder } from '../source/stream-archive.ts'
import type { Image } from '../source/types.ts'
import { keepConfig } from './config-cache.ts'
import type { Engine, ImageFacts } from './engine.ts'

export interface ExportOptions {
  engine: Engine
  facts: ImageFacts
  /** As the person wrote it. */
  reference: string
  /** Where indexes and configs are kept; null: nowhere. */
  cacheFolder: string | null
  /** What the image is opened with in the end. */
  open: OpenOptions
  /** The whole image has arrived. */
  onImage(image: Image): void
}

export interface Export {
  /** The whole image, when all of it has arrived. `content`: its files can be read too. */
  image(content: boolean, work: Work): Promise<Image>
  /** The index of a layer as soon as it has landed; of the last one when the whole image has. */
  layer(diffId: Digest, work: Work): Promise<LayerIndex | null>
  close(): Promise<void>
}

interface Run {
  content: boolean
  image: Promise<Image>
  /** Whether the image has arrived. */
  whole: boolean
  stop: AbortController
  waiting: number
  listeners: Set<(progress: Progress) => void>
  landed: Map<Digest, LayerIndex>
  /** Called when another layer has landed. */
  wake: Set<() => void>
}

export function createExport(options: ExportOptions): Export {
  const { facts } = options
  let run: Run | null = null
  const begun: Run[] = []

  function running(content: boolean): Run {
    if (run !== null && (run.content || !content)) return run
    const one = begin(options, content)
    run = one
    begun.push(one)
    one.image.catch(() => forget(one))
    return one
  }

  /** Whoever asks next begins a new one. */
  function forget(one: Run): void {
    if (run === one) run = null
  }

  async function waitFor<T>(content: boolean, work: Work, wait: (run: Run) => Promise<T>): Promise<T> {
    if (work.signal?.aborted) throw cancelled()
    const on = running(content)
    const listener = work.onProgress
    if (listener) on.listeners.add(listener)
    on.waiting++
    try {
      return await orAborted(wait(on), work.signal)
    } finally {
      if (listener) on.listeners.delete(listener)
      if (--on.waiting === 0 && work.signal?.aborted && !on.whole) {
        forget(on)
        on.stop.abort()
      }
    }
  }

  return {
    image: (content, work) => waitFor(content, work, on => on.image),
    layer: (diffId, work) =>
      waitFor(false, work, async on => {
        for (;;) {
          const index = on.landed.get(diffId)
          const isLast = new Set(facts.diffIds).size <= on.landed.size
          if (index !== undefined && !isLast) return index
          const more = new Promise<boolean>(resolve => on.wake.add(() => resolve(true)))
          // An export that breaks off takes nothing away from the layers that have landed.
          const ended = on.image.then(
            () => false,
            error => (index ? false : Promise.reject(error)),
          )
          if (!(await Promise.race([ended, more]))) return on.landed.get(diffId) ?? null
        }
      }),
    async close() {
      for (const one of begun) one.stop.abort()
      await Promise.allSettled(begun.map(one => one.image.then(image => image.close())))
    },
  }
}

function begin(options: ExportOptions, content: boolean): Run {
  const run: Run = {
    content,
    whole: false,
    image: Promise.resolve().then(() => receive(options, run)),
    stop: new AbortController(),
    waiting: 0,
    listeners: new Set(),
    landed: new Map(),
    wake: new Set(),
  }
  return run
}

async function receive(
  { engine, facts, reference, cacheFolder, open, onImage }: ExportOptions,
  run: Run,
): Promise<Image> {
  const { signal } = run.stop
  const name = `the export of ${safe(reference)} by ${engine.id}`
  const { os, architecture, variant } = facts
  // An engine that stores platforms side by side would send all that it has.
  const platform = facts.manifest === null ? undefined : { os, architecture, variant }
  const { stream } = await engine.save([facts.id], { platform, signal })
  const folder = await readArchiveStream(stream, {
    name,
    signal,
    spool: run.content ? { folder: cacheFolder } : null,
    cacheFolder,
    onProgress: ({ done }) => {
      for (const listener of run.listeners) listener({ done, total: Math.max(done, facts.size) })
    },
    onFile(file) {
      const index = file.passed?.layer?.index
      if (!index?.diffId) return
      run.landed.set(index.diffId, index)
      for (const wake of run.wake) wake()
      run.wake.clear()
    },
  })
  if (cacheFolder !== null) keepConfigOf(folder, cacheFolder, facts.manifest ?? facts.id)
  const choice = { name: null, position: null, platform: platform ?? null }
  const source = engine.kind === 'podman' ? 'podman-save' : 'docker-save'
  const image = await openFolder(folder, { ...open, reference, source, choice, signal: undefined })
  if (
    image.layers.some(({ diffId }, at) => diffId !== facts.diffIds[at]) ||
    image.layers.length !== facts.diffIds.length
  ) {
    await image.close()
    throw new Fault(`${name} holds another image than the engine told of.`, { hint: 'Open it again.' })
  }
  run.whole = true
  onImage(image)
  return image
}

function keepConfigOf(folder: StreamFolder, cacheFolder: string, id: Digest): void {
  const documents = new Map<Digest, Uint8Array>()
  for (const path of folder.paths()) {
    const passed = folder.file(path)?.passed
    if (passed?.content) documents.set(passed.digest, passed.content)
  }
  keepConfig(cacheFolder, id, documents)
}

function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  return new Promise((resolve, reject) => {
    const stop = () => reject(cancelled())
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}

function cancelled(): Fault {
  return new Fault('Cancelled.', { exitCode: 130 })
}
