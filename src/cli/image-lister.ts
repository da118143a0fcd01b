/** The images of every engine that answers, for the list on the screen and for `strata images`. */

import type { EngineStatus, ImageDetail, ImageLister, ImageListing, ImageRow } from '../actions/image-list.ts'
import type { Endpoint, Surroundings } from '../engine/endpoints.ts'
import {
  type Engine,
  type EngineFailure,
  type EngineHistoryRow,
  type EngineImage,
  findEngines,
  type ImageFacts,
  openEngine,
} from '../engine/engine.ts'
import { isBaseOf, nearestBase, sharedLayers } from '../image/bases.ts'
import { parseInstruction } from '../image/instruction.ts'
import { formatPlatform } from '../image/platform.ts'

export interface ListerOptions {
  engine?: string | undefined
  context?: string | undefined
}

export interface EngineLister extends ImageLister {
  /** What did not answer at the last look, and whether the person had named it. */
  failures(): readonly EngineFailure[]
}

/** Looks at the engines of these surroundings; each look finds them anew and closes them. */
export function createLister(around: Surroundings, options: ListerOptions): EngineLister {
  const endpoints = new Map<string, Endpoint>()
  const known = new Map<string, Promise<ImageFacts>>()
  let failures: EngineFailure[] = []
  let rows: ImageRow[] = []

  async function* list(signal: AbortSignal): AsyncIterable<ImageListing> {
    yield { engines: [], rows: [], complete: false }
    const found = await findEngines(around, { ...options, signal })
    failures = found.failures
    known.clear()
    const engines = [...found.engines.map(statusOf), ...found.failures.filter(one => one.asked).map(failedStatus)]
    for (const engine of found.engines) endpoints.set(engine.id, engine.endpoint)
    rows = []
    try {
      const coming = new Map(found.engines.map(engine => [engine, listed(engine, signal)]))
      while (coming.size > 0) {
        const { engine, images, reason } = await Promise.race(coming.values())
        coming.delete(engine)
        rows = [...rows, ...images.flatMap(image => rowsOf(engine, image))]
        if (reason !== null) markDown(engines, engine.id, reason)
        if (coming.size > 0) yield { engines, rows, complete: false }
      }
    } finally {
      for (const engine of found.engines) engine.close()
    }
    yield { engines, rows, complete: true }
  }

  async function detail(row: ImageRow, signal: AbortSignal): Promise<ImageDetail> {
    const endpoint = endpoints.get(row.engine)
    if (!endpoint) throw new Error(`the engine ${row.engine} is gone`)
    const engine = await openEngine(endpoint, { env: around.env, signal })
    try {
      const facts = (id: string) => {
        const asked = known.get(id) ?? engine.inspect(id, { signal })
        known.set(id, asked)
        asked.catch(() => known.delete(id))
        return asked
      }
      const own = await facts(row.id)
      const history = await engine.history(row.id, { signal })
      const neighbours = await neighboursOf(row, rows, facts)
      return {
        steps: history.length,
        layers: layerSizes(history, own.diffIds.length),
        platform: formatPlatform(own),
        base: baseOf(own, neighbours),
        sharedWith: sharing(own, neighbours),
      }
    } finally {
      engine.close()
    }
  }

  return { list, detail, failures: () => failures }
}

async function listed(engine: Engine, signal: AbortSignal) {
  try {
    return { engine, images: await engine.images({ signal }), reason: null }
  } catch (error) {
    signal.throwIfAborted()
    return { engine, images: [], reason: error instanceof Error ? error.message : String(error) }
  }
}

function statusOf({ id, version }: Engine): EngineStatus {
  return { name: id, version, state: 'up', reason: null }
}

function failedStatus({ name, fault }: EngineFailure): EngineStatus {
  return { name, version: null, state: 'down', reason: fault.message }
}

function markDown(engines: EngineStatus[], name: string, reason: string): void {
  const at = engines.findIndex(one => one.name === name)
  engines[at] = { ...engines[at], state: 'down', reason }
}

/** One row a name; an image without one has one row all the same. */
function rowsOf(engine: Engine, image: EngineImage): ImageRow[] {
  const names = image.names.length > 0 ? image.names : [null]
  return names.map(name => {
    const { repository, tag } = splitName(name)
    return {
      key: `${engine.id} ${image.id} ${name ?? ''}`,
      reference: `${engine.kind === 'podman' ? 'podman' : 'docker-daemon'}:${name ?? image.id}`,
      repository,
      tag,
      engine: engine.id,
      id: image.id,
      created: image.created === null ? null : image.created * 1000,
      size: image.size,
      unique: image.shared === null || names.length > 1 ? null : Math.max(0, image.size - image.shared),
      containers: image.containers,
      detail: null,
    }
  })
}

function splitName(name: string | null): { repository: string | null; tag: string | null } {
  if (name === null) return { repository: null, tag: null }
  const colon = name.lastIndexOf(':')
  if (colon <= name.lastIndexOf('/')) return { repository: name, tag: null }
  return { repository: name.slice(0, colon), tag: name.slice(colon + 1) }
}

/** More images than that are not compared with each other for one panel. */
const mostCompared = 300

interface Neighbour {
  row: ImageRow
  diffIds: string[]
}

/** The other images of the same engine, once each; null when there are too many to ask for. */
async function neighboursOf(
  row: ImageRow,
  rows: readonly ImageRow[],
  facts: (id: string) => Promise<ImageFacts>,
): Promise<Neighbour[] | null> {
  const others = new Map(rows.filter(one => one.engine === row.engine && one.id !== row.id).map(one => [one.id, one]))
  if (others.size > mostCompared) return null
  const asked = [...others.values()].map(async other => {
    const own = await facts(other.id)
    return { row: other, diffIds: own.diffIds }
  })
  const settled = await Promise.allSettled(asked)
  return settled.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
}

function sharing(own: ImageFacts, neighbours: Neighbour[] | null): number | null {
  return neighbours?.filter(one => sharedLayers(one.diffIds, own.diffIds) > 0).length ?? null
}

function baseOf(own: ImageFacts, neighbours: Neighbour[] | null): ImageDetail['base'] {
  const named = neighbours?.filter(one => one.row.repository !== null && isBaseOf(one.diffIds, own.diffIds)) ?? []
  const base = nearestBase(own.diffIds, named)
  return base && { name: [base.row.repository, base.row.tag].filter(Boolean).join(':'), bytes: base.row.size ?? 0 }
}

/** Which rows of an engine's history made a layer is not told; the ones that can have, if that fits, else those with bytes. */
function layerSizes(history: EngineHistoryRow[], layers: number): number[] {
  const makers = history.filter(row => {
    const { keyword } = parseInstruction(row.createdBy, row.comment)
    return row.size > 0 || keyword === null || ['RUN', 'COPY', 'ADD', 'WORKDIR'].includes(keyword)
  })
  const chosen = makers.length === layers ? makers : history.filter(row => row.size > 0)
  const sizes = chosen.slice(0, layers).map(row => row.size)
  return [...sizes, ...Array.from({ length: layers - sizes.length }, () => 0)]
}
