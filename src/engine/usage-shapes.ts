/** What Docker and Podman answer about their disk, read leniently: what is no sensible size is not known. */
import * as z from 'zod'
import { flag, labels, lenient, most, nested, text, texts } from './fields.ts'
import type { CacheEntry, StoredVolume } from './usage.ts'

/** Bytes as an engine tells them; -1 and nonsense are null. */
const bytes = z.number().nonnegative().max(Number.MAX_SAFE_INTEGER).nullable().catch(null)

/** `GET /system/df`, without its images: Podman names them by their tag alone. */
export interface EngineDisk {
  layerBytes: number | null
  /** Bytes of upper layers by container. Docker leaves a size of 0 out. */
  upperBytes: Map<string, number>
  volumes: (Omit<StoredVolume, 'users' | 'busy'> & { references: number })[]
  cache: CacheEntry[]
}

export const diskShape: z.ZodType<EngineDisk> = z.looseObject({}).transform(raw => {
  const { LayersSize, Containers, Volumes, BuildCache } = lenient(disk, raw)
  return {
    // Podman does not sum layers up: it says 0.
    layerBytes: LayersSize || null,
    upperBytes: new Map(Containers.map(one => [one.Id, one.SizeRw ?? 0])),
    volumes: Volumes.filter(one => one.Name !== '').map(volumeOf),
    cache: BuildCache.filter(one => one.ID !== '').map(entryOf),
  }
})

/** `GET /volumes`: names. */
export const volumeNamesShape: z.ZodType<string[]> = z
  .looseObject({})
  .transform(raw => lenient(volumeList, raw).Volumes.map(one => one.Name))

/** `POST /build/prune`: what went. */
export const cachePrunedShape: z.ZodType<string[]> = z
  .unknown()
  .transform(raw => lenient(z.object({ CachesDeleted: texts }), raw).CachesDeleted)

const records = <T>(shape: z.ZodType<T>) =>
  z
    .array(z.unknown())
    .transform(list => list.slice(0, most.images).map(one => lenient(shape, one)))
    .catch([])

const usageData = z.object({ Size: bytes, RefCount: z.number().int().catch(0) })

const volume = z.object({
  Name: text,
  Driver: text,
  CreatedAt: text,
  Labels: labels,
  UsageData: nested(usageData),
})

const entry = z.object({
  ID: text,
  Parent: text,
  Parents: texts,
  Type: text,
  Description: text,
  InUse: flag,
  Shared: flag,
  Size: bytes,
  LastUsedAt: text,
})

const disk = z.object({
  LayersSize: bytes,
  Containers: records(z.object({ Id: text, SizeRw: bytes })),
  Volumes: records(volume),
  BuildCache: records(entry),
})

const volumeList = z.object({ Volumes: records(z.object({ Name: text })) })

function volumeOf({
  Name,
  Driver,
  CreatedAt,
  Labels,
  UsageData,
}: z.infer<typeof volume>): EngineDisk['volumes'][number] {
  return {
    name: Name,
    driver: Driver || 'local',
    anonymous: 'com.docker.volume.anonymous' in Labels || /^[0-9a-f]{64}$/.test(Name),
    bytes: UsageData.Size,
    references: UsageData.RefCount,
    created: secondsOf(CreatedAt),
  }
}

function entryOf(one: z.infer<typeof entry>): CacheEntry {
  return {
    id: one.ID,
    parents: one.Parents.length > 0 ? one.Parents : one.Parent === '' ? [] : one.Parent.split(' '),
    type: one.Type,
    description: one.Description,
    bytes: one.Size ?? 0,
    inUse: one.InUse,
    shared: one.Shared,
    lastUsed: secondsOf(one.LastUsedAt),
  }
}

function secondsOf(time: string): number | null {
  const seconds = Date.parse(time) / 1000
  return seconds > 0 ? seconds : null
}
