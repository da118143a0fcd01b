/** What the native engine's folders hold: blobs and unpacked layers of its store, containers with their logs, volumes. */
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { reasonOf } from '../../base/errors.ts'
import { parseConfig } from '../../image/config.ts'
import { chainIds } from '../../image/digest.ts'
import { stepsOf } from '../../image/steps.ts'
import type { Digest } from '../../image/types.ts'
import { allRecords, type ContainerRecord, folderOf } from '../../runtime/containers/record.ts'
import type { Places } from '../../runtime/places.ts'
import { blobBytes, blobPath } from '../../runtime/store/blobs.ts'
import { type StoreFolder, storeFolder } from '../../runtime/store/folder.ts'
import { chainOf, type Thing, thingsOf, unusedThings } from '../../runtime/store/garbage.ts'
import type { KeptImage } from '../../runtime/store/index.ts'
import { shownName } from '../../runtime/store/names.ts'
import { leftPartials } from '../../runtime/store/partial.ts'
import { PARTIAL_REST, removeKept, removePartial, removeUnused } from '../../runtime/store/remove-exactly.ts'
import { removeVolume } from '../../runtime/volumes/shelf.ts'
import { volumeUsage } from '../../runtime/volumes/usage.ts'
import { listVolumes } from '../../runtime/volumes/volume.ts'
import type { Container, Containers } from '../containers.ts'
import type { DiskUsage, Piece, Storage, StoredContainer, StoredLayer } from '../usage.ts'
import { nativeImages } from './images.ts'

/** The disk of the native engine at these places. */
export function nativeStorage(places: Places, containers: Containers): Storage {
  return {
    holds: { volumes: true, cache: false, layers: true },
    usage: ({ signal } = {}) => usage(places, containers, signal),
    async holders({ signal } = {}) {
      const records = await allRecords(places.containers)
      const rows = await containers.list({ all: true, signal })
      const volumes = listVolumes(places)
      return {
        containers: rows.map(row => ({ ...row, volumes: volumesOf(records, row.id) })),
        images: nativeImages(places).map(image => ({ id: image.id, names: image.names.map(shownName) })),
        volumes: volumes.map(one => one.name),
      }
    },
    async remove(pieces, { signal } = {}) {
      const stored = pieces.filter(one => one.kind === 'layer' && !one.id.startsWith(PARTIAL))
      const gone =
        stored.length === 0
          ? []
          : await removeUnused(
              places,
              stored.map(one => thingOf(one.id)),
            )
      const reasons: (string | null)[] = []
      for (const piece of pieces) {
        signal?.throwIfAborted()
        if (piece.id.startsWith(PARTIAL)) {
          const free = await removePartial(places, piece.id.slice(PARTIAL.length))
          reasons.push(free ? null : 'somebody goes on with it')
        } else if (piece.kind === 'layer') reasons.push(gone.shift() ? null : 'something needs it by now')
        else reasons.push(await removed(() => removePiece(places, containers, piece)))
      }
      return reasons
    },
  }
}

/** Before the digest of a blob that came only in part. */
const PARTIAL = 'partial '

async function usage(places: Places, containers: Containers, signal: AbortSignal | undefined): Promise<DiskUsage> {
  const folder = storeFolder(places)
  const images = nativeImages(places)
  const records = await allRecords(places.containers)
  const rows = await containers.list({ all: true, sizes: true, signal })
  const things = thingsOf(folder)
  // What is not among these a running Strata or a container needs, whatever images there are.
  const idle = new Set((await unusedThings(places, [])).map(idOf))
  const chains = new Map(records.map(one => [one.id, new Set(chainIds(one.chain))]))
  const needs = images.map(image => ({ id: image.id, needs: new Set([...blobsOf(image), ...chainOf(image)]) }))
  const told = tellers(folder, images)
  const layers = things.map((thing): StoredLayer => {
    const id = idOf(thing)
    const blob = thing.kind === 'blob'
    const users = blob ? [] : records.filter(one => chains.get(one.id)!.has(thing.digest)).map(one => one.id)
    return {
      id,
      kind: thing.kind,
      digest: thing.digest,
      bytes: thing.bytes,
      createdBy: told.get(id) ?? '',
      images: needs.filter(one => one.needs.has(id)).map(one => one.id),
      containers: users,
      cache: [],
      busy: users.length === 0 && !idle.has(id),
    }
  })
  const partials = (await leftPartials(folder, PARTIAL_REST)).map(({ digest, bytes }): StoredLayer => {
    const nobody = { images: [], containers: [], cache: [], busy: false }
    return {
      id: `${PARTIAL}${digest}`,
      kind: 'blob',
      digest,
      bytes,
      createdBy: 'a download that was not finished',
      ...nobody,
    }
  })
  const bytes = new Map(layers.map(one => [one.id, one.bytes ?? 0]))
  const volumes = await volumeUsage(listVolumes(places), signal)
  return {
    layers: [...layers, ...partials],
    images: needs.map(({ id, needs }, at) => {
      const own = [...needs].filter(one => bytes.has(one))
      return {
        id,
        names: images[at].names.map(shownName),
        created: images[at].created,
        bytes: own.reduce((sum, one) => sum + bytes.get(one)!, 0),
        layers: own,
      }
    }),
    containers: rows.map(row => containerOf(places, row, records, layers)),
    volumes: volumes.map(({ volume, bytes }) => ({
      name: volume.name,
      driver: 'local',
      anonymous: volume.anonymous,
      bytes,
      users: volume.users,
      busy: false,
      created: Date.parse(volume.created) / 1000 || null,
    })),
    cache: [],
    layerBytes: null,
    unknown: [],
  }
}

function containerOf(
  places: Places,
  row: Container,
  records: readonly ContainerRecord[],
  layers: readonly StoredLayer[],
): StoredContainer {
  const { id, name, image, imageId, state, status, created, upperBytes } = row
  return {
    ...{ id, name, image, imageId, state, status, created, upperBytes },
    logBytes: logBytes(folderOf(places.containers, id).log),
    layers: layers.filter(one => one.containers.includes(id)).map(one => one.id),
    volumes: volumesOf(records, id),
    borrows: borrowed(places, records, id),
  }
}

/** An image of another engine is run from where it lies: then the directories are not in our store. */
function borrowed({ store }: Places, records: readonly ContainerRecord[], id: string): string[] {
  const record = records.find(one => one.id === id)
  if (!record || record.lower.every(path => path.startsWith(`${store}/`))) return []
  return chainIds(record.chain)
}

/** What made each layer, from the configs of the images. */
function tellers(folder: StoreFolder, images: readonly KeptImage[]): Map<string, string> {
  const told = new Map<string, string>()
  for (const image of images) {
    told.set(`blob ${image.id}`, 'the config of an image')
    told.set(`blob ${image.manifest}`, 'the manifest of an image')
    const steps = stepsOf(historyOf(folder, image.id), image.layers.length).filter(step => step.layer !== null)
    const chain = chainOf(image)
    for (const [at, { createdBy }] of steps.entries()) {
      told.set(`blob ${image.layers[at].digest}`, createdBy ?? '')
      told.set(chain[at], createdBy ?? '')
    }
  }
  return told
}

/** More than that is no config. */
const mostConfig = 8 << 20

function historyOf(folder: StoreFolder, id: Digest) {
  try {
    if ((blobBytes(folder, id) ?? 0) > mostConfig) return []
    return parseConfig(JSON.parse(readFileSync(blobPath(folder, id), 'utf8'))).config.history
  } catch {
    return [] // what the layers are made by is not worth a failure
  }
}

function blobsOf({ id, manifest, layers }: KeptImage): string[] {
  return [id, manifest, ...layers.map(layer => layer.digest)].map(digest => `blob ${digest}`)
}

function idOf({ kind, digest }: Pick<Thing, 'kind' | 'digest'>): string {
  return kind === 'blob' ? `blob ${digest}` : digest
}

function thingOf(id: string): Pick<Thing, 'kind' | 'digest'> {
  return id.startsWith('blob ') ? { kind: 'blob', digest: id.slice('blob '.length) } : { kind: 'layer', digest: id }
}

function volumesOf(records: readonly ContainerRecord[], id: string): string[] {
  const mounts = records.find(one => one.id === id)?.mounts ?? []
  return [...new Set(mounts.flatMap(mount => (mount.kind === 'volume' && mount.name ? [mount.name] : [])))]
}

async function removePiece(places: Places, containers: Containers, piece: Piece): Promise<void> {
  if (piece.kind === 'container') await containers.remove(piece.id)
  else if (piece.kind === 'image') await removeKept(places, piece.id, piece.names)
  else if (piece.kind === 'volume') await removeVolume(places, piece.id)
  else throw new Error('the native engine has no such thing')
}

async function removed(act: () => Promise<void>): Promise<string | null> {
  try {
    await act()
    return null
  } catch (error) {
    return reasonOf(error)
  }
}

/** Of the files of a log, rotated ones too. */
function logBytes(path: string): number | null {
  try {
    const [folder, name] = [dirname(path), basename(path)]
    const files = readdirSync(folder).filter(one => one === name || one.startsWith(`${name}.`))
    return files.reduce((sum, one) => sum + lstatSync(join(folder, one)).size, 0)
  } catch {
    return null
  }
}
