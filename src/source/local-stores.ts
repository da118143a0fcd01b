/**
 * The engines' own stores on this machine: where they are, which one has an image, and what they have. With them an image
 * opens without an export, and without any engine running.
 */
import { statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type ImageName, parseImageName } from '../image/image-name.ts'
import { listContainerdStore, openContainerdStore } from './containerd-store.ts'
import { listContainersStorage, openContainersStorage } from './containers-storage.ts'
import { listDockerStore, openDockerStore } from './docker-store.ts'
import { readStorageConf } from './store-conf.ts'
import { namesIn, readWord } from './store-files.ts'
import type { StoreKind, StoreListing, StoreLocation, StoreOptions, StoreReason } from './store-types.ts'
import type { Image } from './types.ts'

/** What of the machine and of the person's environment decides. */
export interface StoreSurroundings {
  env: Readonly<Record<string, string | undefined>>
  home: string
  /** null where users have no number: there are no stores there. */
  uid: number | null
  /** Put before the machine's own paths, so that a test finds its own. */
  root?: string | undefined
}

/** What an engine on this machine says of its store, in `/info`. */
export interface StoreHint {
  engine: 'docker' | 'podman'
  root: string
  driver: string | null
  containerdStore: boolean
}

/**
 * The stores that are there, as far as one may look: those that engines name first, then those at the usual places of
 * Docker, podman and containerd, of the machine and of the person.
 */
export function findLocalStores(around: StoreSurroundings, hints: readonly StoreHint[] = []): StoreLocation[] {
  if (around.uid === null) return []
  const found = [
    ...hints.flatMap(hinted),
    ...dockerPlaces(around),
    ...podmanPlaces(around),
    ...containerdPlaces(around),
  ]
  const seen = new Set<string>()
  return found.filter(location => {
    const key = `${location.kind} ${placeOf(location.root)}`
    if (seen.has(key) || !isThere(location)) return false
    seen.add(key)
    return true
  })
}

export interface OpenFromStores extends StoreOptions {
  stores: readonly StoreLocation[]
  /** Only stores of these kinds. */
  kinds?: readonly StoreKind[] | undefined
  /** Hears why a store was not read: for `doctor`, and for the hint when nothing has the image. */
  onReason?: ((reason: StoreReason) => void) | undefined
}

/**
 * The image of a name or id from the first store that has it; null when none has, or none may be read. An id is looked
 * up in all of them safely: it names content. @throws Fault (exit code 2) when several ids start like the wanted one.
 */
export async function openFromStores(name: string | ImageName, options: OpenFromStores): Promise<Image | null> {
  const wanted = typeof name === 'string' ? parseImageName(name) : name
  for (const location of options.stores) {
    if (options.kinds && !options.kinds.includes(location.kind)) continue
    const { image, reason } = await readers[location.kind].open(location, wanted, options)
    if (image !== null) return image
    if (reason !== null) options.onReason?.(reason)
  }
  return null
}

/**
 * The images of all stores, and why some could not be read. Those without a name that only stand between others are left
 * out, as engines do, unless `all` is asked for.
 */
export async function listStoreImages(
  stores: readonly StoreLocation[],
  { all = false }: { all?: boolean } = {},
): Promise<{ images: StoreListing[]; reasons: StoreReason[] }> {
  const lists = await Promise.all(stores.map(location => readers[location.kind].list(location)))
  return {
    images: lists.flatMap(({ images }) => (all ? images : ends(images))),
    reasons: lists.flatMap(list => (list.reason === null ? [] : [list.reason])),
  }
}

function ends(images: StoreListing[]): StoreListing[] {
  const parents = new Set(images.map(image => image.parent))
  return images.filter(image => image.names.length > 0 || !parents.has(image.id))
}

const readers = {
  'docker-store': { open: openDockerStore, list: listDockerStore },
  'containers-storage': { open: openContainersStorage, list: listContainersStorage },
  'containerd-store': { open: openContainerdStore, list: listContainerdStore },
}

function hinted({ engine, root, driver, containerdStore }: StoreHint): StoreLocation[] {
  if (engine === 'podman') return [{ kind: 'containers-storage', root, driver, also: [] }]
  if (containerdStore) return containerdOf(root)
  return [{ kind: 'docker-store', root, driver, also: [] }]
}

/** Docker runs a containerd of its own here, unless it is told to use the machine's. */
function containerdOf(root: string): StoreLocation[] {
  return [{ kind: 'containerd-store', root: join(root, 'containerd/daemon'), driver: null, also: [] }]
}

function dockerPlaces(around: StoreSurroundings): StoreLocation[] {
  const { root = '' } = around
  const machine = [dataRootOf(join(root, '/etc/docker/daemon.json')), join(root, '/var/lib/docker')]
  const snap = join(root, '/var/snap/docker/common/var-lib-docker')
  const roots = [...machine, snap, join(dataHome(around), 'docker')].filter(one => one !== null)
  return roots.flatMap(one => latestFirst([...remapped(one), one].flatMap(storesOf)))
}

function storesOf(root: string): StoreLocation[] {
  return [{ kind: 'docker-store', root, driver: null, also: [] }, ...containerdOf(root)]
}

/** Where the daemon is told to keep its data. */
function dataRootOf(file: string): string | null {
  try {
    const read: unknown = JSON.parse(readWord(file, 1 << 20) ?? '{}')
    const root = (read as Record<string, unknown> | null)?.['data-root']
    return typeof root === 'string' && root.startsWith('/') ? root : null
  } catch {
    return null
  }
}

/** With user namespaces, the store of each mapping lies in a folder of its own. */
function remapped(root: string): string[] {
  try {
    return namesIn(root)
      .filter(name => /^\d+\.\d+$/.test(name))
      .map(name => join(root, name))
  } catch {
    return []
  }
}

/** A daemon that has changed its way of storing left the old store behind: the one that was written last is in use. */
function latestFirst(locations: StoreLocation[]): StoreLocation[] {
  const times = new Map(locations.map(location => [location, writtenAt(location)]))
  return [...locations].sort((a, b) => times.get(b)! - times.get(a)!)
}

function writtenAt({ kind, root }: StoreLocation): number {
  try {
    if (kind === 'containerd-store') return statSync(join(root, 'io.containerd.metadata.v1.bolt/meta.db')).mtimeMs
    const drivers = namesIn(join(root, 'image'))
    return Math.max(0, ...drivers.map(one => statSync(join(root, 'image', one, 'repositories.json')).mtimeMs))
  } catch {
    return 0
  }
}

function podmanPlaces(around: StoreSurroundings): StoreLocation[] {
  const { env, home, uid, root = '' } = around
  const variables = { HOME: home, UID: String(uid) }
  const machine = [join(root, '/etc/containers/storage.conf'), join(root, '/usr/share/containers/storage.conf')]
  const own = join(env.XDG_CONFIG_HOME || join(home, '.config'), 'containers/storage.conf')
  const asked = env.CONTAINERS_STORAGE_CONF
  const system = readStorageConf(asked && uid === 0 ? [asked] : machine, variables)
  const person = readStorageConf([asked && uid !== 0 ? asked : own], variables)
  const rootful = system.imageStore ?? system.graphRoot ?? '/var/lib/containers/storage'
  const rootless = person.imageStore ?? person.rootlessPath ?? person.graphRoot ?? system.rootlessPath
  const places = [
    { root: asked && uid === 0 ? rootful : join(root, rootful), also: [...system.also, system.graphRoot] },
    { root: rootless ?? join(dataHome(around), 'containers/storage'), also: [...person.also, ...system.also] },
  ]
  if (uid !== 0) places.reverse()
  return places.map(place => ({
    kind: 'containers-storage',
    root: place.root,
    driver: null,
    also: place.also.filter(one => one !== null && one !== place.root) as string[],
  }))
}

function containerdPlaces(around: StoreSurroundings): StoreLocation[] {
  const { root = '' } = around
  const machine = ['/var/lib/containerd', '/var/lib/rancher/k3s/agent/containerd'].map(place => join(root, place))
  return [...machine, join(dataHome(around), 'containerd')].map(place => ({
    kind: 'containerd-store',
    root: place,
    driver: null,
    also: [],
  }))
}

function dataHome({ env, home }: StoreSurroundings): string {
  return env.XDG_DATA_HOME || join(home, '.local/share')
}

/** A place that one may not look into counts as there, when as much of it is seen: why it can not be read is worth telling. */
function isThere({ kind, root }: StoreLocation): boolean {
  const mark = {
    'docker-store': 'image',
    'containers-storage': '',
    'containerd-store': 'io.containerd.content.v1.content',
  }
  const seen = look(join(root, mark[kind]))
  return seen === 'there' || (seen === 'closed' && look(dirname(root)) === 'there')
}

function look(path: string): 'there' | 'closed' | 'absent' {
  try {
    return statSync(path).isDirectory() ? 'there' : 'absent'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'closed' : 'absent'
  }
}

/** What two ways to one place have in common. */
function placeOf(root: string): string {
  try {
    const { dev, ino } = statSync(root)
    return `${dev}:${ino}`
  } catch {
    return root
  }
}
