/** The images of engines' stores on this machine whose engine does not answer: podman has no daemon most of the time. */
import type { ImageDetail, ImageRow } from '../actions/image-list.ts'
import type { Engine } from '../engine/engine.ts'
import { formatPlatform } from '../image/platform.ts'
import { defaultCacheFolder } from '../source/index-cache.ts'
import { findLocalStores, listStoreImages, openFromStores } from '../source/local-stores.ts'
import type { StoreKind, StoreListing } from '../source/store-types.ts'
import { splitName } from './image-lister.ts'
import { surroundings } from './surroundings.ts'

/** The engine that keeps each kind of store, as the list names it. */
const owners: Record<StoreKind, 'docker' | 'podman' | 'containerd'> = {
  'docker-store': 'docker',
  'containers-storage': 'podman',
  'containerd-store': 'containerd',
}

/** Rows of the stores that none of these engines speaks for. Nothing is asked of an engine. */
export async function listStores(engines: readonly Engine[], wanted: string | undefined): Promise<ImageRow[]> {
  const answering = new Set<string>(engines.map(engine => engine.kind))
  const stores = findLocalStores(surroundings()).filter(({ kind }) => {
    const owner = owners[kind]
    const silent = owner === 'containerd' ? !answering.has('docker') : !answering.has(owner)
    return silent && (wanted === undefined || wanted === owner)
  })
  const { images } = await listStoreImages(stores)
  return images.flatMap(rowsOf)
}

/** What the panel beside the list tells of such a row; null when its store has it no more. */
export async function storeDetail(row: ImageRow): Promise<ImageDetail | null> {
  const kinds = (Object.keys(owners) as StoreKind[]).filter(kind => owners[kind] === row.engine)
  const options = { reference: row.reference, platform: null, cacheFolder: defaultCacheFolder() }
  const image = await openFromStores(row.id, { ...options, stores: findLocalStores(surroundings()), kinds })
  if (!image) return null
  try {
    return {
      steps: image.steps.length,
      layers: image.layers.map(layer => layer.roughBytes ?? 0),
      platform: formatPlatform(image.platform),
      base: null,
      sharedWith: null,
    }
  } finally {
    await image.close()
  }
}

function rowsOf({ id, names, created, size, location }: StoreListing): ImageRow[] {
  const engine = owners[location.kind]
  const transport = engine === 'podman' ? 'podman' : 'docker-daemon'
  return (names.length > 0 ? names : [null]).map(name => ({
    key: `${engine} ${id} ${name ?? ''}`,
    reference: engine === 'containerd' ? (name ?? id) : `${transport}:${name ?? id}`,
    ...splitName(name),
    engine,
    id,
    created: created === null ? null : created * 1000,
    size,
    unique: null,
    containers: null,
    detail: null,
  }))
}
