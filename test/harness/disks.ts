/** Disks of engines that are not there: images of layers by their names, so that a test reads like a table. */
import type { ContainerState } from '../../src/engine/containers.ts'
import type { CacheEntry, DiskUsage, StoredContainer, StoredLayer, StoredVolume } from '../../src/engine/usage.ts'

export interface DiskSpec {
  /** Bytes by the layer's name; null: not known. */
  layers?: Record<string, number | null>
  /** Names of layers by the image's name; a name that starts with `<` is none. */
  images?: Record<string, string[]>
  containers?: Record<string, Partial<Omit<StoredContainer, 'state'>> & { image?: string; state?: ContainerState }>
  volumes?: Record<string, Partial<StoredVolume>>
  cache?: Record<string, Partial<CacheEntry> & { layers?: string[] }>
  /** Layers that something running needs. */
  busy?: string[]
}

/** The disk that a spec describes; ids are the names. */
export function diskOf(spec: DiskSpec): DiskUsage {
  const images = Object.entries(spec.images ?? {})
  const containers = Object.entries(spec.containers ?? {}).map(
    ([name, { image = '', ...more }]): StoredContainer => ({
      id: name,
      name,
      image,
      imageId: image || null,
      state: 'exited',
      status: 'Exited (0) 2 hours ago',
      created: Date.UTC(2026, 0, 2) / 1000,
      upperBytes: 0,
      logBytes: null,
      layers: spec.images?.[image] ?? [],
      volumes: [],
      ...more,
    }),
  )
  const cache = Object.entries(spec.cache ?? {})
  return {
    layers: Object.entries(spec.layers ?? {}).map(
      ([id, bytes]): StoredLayer => ({
        id,
        kind: id.startsWith('blob ') ? 'blob' : 'layer',
        digest: id,
        bytes,
        createdBy: `RUN make ${id}`,
        images: images.filter(([, layers]) => layers.includes(id)).map(([name]) => name),
        containers: containers.filter(one => one.layers.includes(id)).map(one => one.id),
        cache: cache.filter(([, one]) => one.layers?.includes(id)).map(([name]) => name),
        busy: spec.busy?.includes(id) === true,
      }),
    ),
    images: images.map(([id, layers]) => ({
      id,
      names: id.startsWith('<') ? [] : [id],
      created: Date.UTC(2026, 0, 1) / 1000,
      bytes: layers.reduce((sum, one) => sum + (spec.layers?.[one] ?? 0), 0),
      layers,
    })),
    containers,
    volumes: Object.entries(spec.volumes ?? {}).map(
      ([name, more]): StoredVolume => ({
        name,
        driver: 'local',
        anonymous: false,
        bytes: 0,
        users: containers.filter(one => one.volumes.includes(name)).map(one => one.id),
        busy: false,
        created: Date.UTC(2026, 0, 1) / 1000,
        ...more,
      }),
    ),
    cache: cache.map(
      ([id, { layers: _, ...more }]): CacheEntry => ({
        id,
        parents: [],
        type: 'regular',
        description: `[2/3] ${id}`,
        bytes: 0,
        inUse: false,
        shared: false,
        lastUsed: Date.UTC(2026, 0, 1) / 1000,
        ...more,
      }),
    ),
    layerBytes: null,
    unknown: [],
  }
}
