/** Volumes of Docker and Podman, through Docker's API. */
import * as z from 'zod'
import { Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import type { Client } from './client.ts'
import { labels, lenient, most, number, text, texts } from './fields.ts'
import type { EngineVolume, Volumes } from './volumes.ts'

export function daemonVolumes(client: Client): Volumes {
  const filters = (wanted: object) => (Object.keys(wanted).length > 0 ? { filters: JSON.stringify(wanted) } : {})
  return {
    async list(wanted = {}) {
      return client.get('/volumes', listShape, { query: filters(wanted) })
    },
    inspect: name => client.get(`/volumes/${pathOf(name)}`, volumeShape),
    async create({ name, driver, options, labels }) {
      const body = { Name: name ?? '', Driver: driver ?? 'local', DriverOpts: options ?? {}, Labels: labels ?? {} }
      return (await client.send('POST', '/volumes/create', volumeShape, { body })).name
    },
    async remove(name, { force = false } = {}) {
      await client.send('DELETE', `/volumes/${pathOf(name)}`, z.unknown(), { query: { force } })
    },
    prune: (wanted = {}) =>
      client.send('POST', '/volumes/prune', prunedShape, {
        query: filters(wanted),
        timeout: Number.POSITIVE_INFINITY,
      }),
  }
}

const volume = z.object({
  Name: text,
  Driver: text,
  Labels: labels,
  Options: labels,
  Mountpoint: text,
  CreatedAt: text,
  Scope: text,
})

const volumeShape: z.ZodType<EngineVolume> = z.unknown().transform(value => volumeOf(value))

const listShape: z.ZodType<EngineVolume[]> = z.unknown().transform(value => {
  const { Volumes } = lenient(z.object({ Volumes: z.array(z.unknown()).catch([]) }), value)
  return Volumes.slice(0, most.rows).map(volumeOf)
})

const prunedShape: z.ZodType<{ names: string[]; bytes: number | null }> = z.unknown().transform(value => {
  const pruned = lenient(z.object({ VolumesDeleted: texts, SpaceReclaimed: number }), value)
  return { names: pruned.VolumesDeleted, bytes: pruned.SpaceReclaimed }
})

function volumeOf(value: unknown): EngineVolume {
  const { Name, Driver, Labels, Options, Mountpoint, CreatedAt, Scope } = lenient(volume, value)
  return {
    name: Name,
    driver: Driver,
    labels: Labels,
    options: Options,
    mountpoint: Mountpoint,
    created: CreatedAt,
    scope: Scope,
    users: null,
  }
}

/** Only what names are made of, so that none leads to another call. */
function pathOf(name: string): string {
  if (/^[\w.-]{1,255}$/.test(name) && name !== '.' && name !== '..') return name
  throw new Fault(`There is no volume “${safe(name)}”.`)
}
