/** Volumes of the native engine as every engine's. */
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import { readRecord } from '../../runtime/containers/record.ts'
import type { Places } from '../../runtime/places.ts'
import { createVolume, newVolumeName, pruneVolumes, removeVolume, sweepVolumes } from '../../runtime/volumes/shelf.ts'
import { volumeUsage } from '../../runtime/volumes/usage.ts'
import { findVolume, listVolumes, type Volume } from '../../runtime/volumes/volume.ts'
import type { EngineVolume, VolumeFilters, Volumes } from '../volumes.ts'

export function nativeVolumes(places: Places): Volumes {
  const told = (volume: Volume): EngineVolume => ({
    name: volume.name,
    driver: 'local',
    labels: volume.labels,
    options: {},
    mountpoint: volume.path,
    created: volume.created,
    scope: 'local',
    users: volume.users.map(id => readRecord(places.containers, id)?.name ?? id.slice(0, 12)),
  })
  return {
    async list(filters = {}) {
      return listVolumes(places)
        .map(told)
        .filter(one => matches(one, filters))
    },

    async inspect(name) {
      return told(findVolume(places, name))
    },

    async create({ name, driver = 'local', options = {}, labels }) {
      if (driver !== 'local')
        throw new Fault(`The native engine has no volume driver “${safe(driver)}”.`, { hint: 'It has “local”.' })
      if (Object.keys(options).length > 0)
        throw new Fault('Volumes of the native engine are directories: they take no options.', {
          hint: 'A directory of this machine is mounted with -v /path:/path.',
        })
      return createVolume(places, { name: name ?? newVolumeName(), anonymous: name === undefined, labels }).name
    },

    async remove(name, { force = false } = {}) {
      if (force && !listVolumes(places).some(one => one.name === name)) return
      await removeVolume(places, name)
    },

    async prune({ label } = {}) {
      await sweepVolumes(places)
      const wanted = listVolumes(places).filter(one => matches(told(one), { label }))
      const usage = await volumeUsage(wanted.filter(one => one.users.length === 0))
      const gone = await pruneVolumes(places, wanted)
      const bytes = gone.map(({ name }) => usage.find(one => one.volume.name === name)?.bytes ?? null)
      const known = bytes.filter(one => one !== null)
      return {
        names: gone.map(one => one.name),
        bytes: known.length < bytes.length ? null : known.reduce((sum, one) => sum + one, 0),
      }
    },
  }
}

function matches(volume: EngineVolume, { dangling, driver, label, name }: VolumeFilters): boolean {
  const any = (values: string[] | undefined, test: (value: string) => boolean) => !values?.length || values.some(test)
  const unused = volume.users?.length === 0
  return (
    any(dangling, value => unused === /^(1|t|true)$/i.test(value)) &&
    any(driver, value => value === volume.driver) &&
    any(name, value => volume.name.includes(value)) &&
    (label ?? []).every(value => {
      const equals = value.indexOf('=')
      const [key, wanted] = equals < 0 ? [value, null] : [value.slice(0, equals), value.slice(equals + 1)]
      return Object.hasOwn(volume.labels, key) && (wanted === null || volume.labels[key] === wanted)
    })
  )
}
