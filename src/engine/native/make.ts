/** A new container of the native engine: its folder, its record, its bundle. Nothing runs yet. */
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { hostname as hostName } from 'node:os'
import { dirname, join } from 'node:path'
import { asFault, Fault, reasonOf } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import type { Digest, RunConfig } from '../../image/types.ts'
import { containerConfig } from '../../runtime/bundle.ts'
import type { HealthCheck } from '../../runtime/containers/health.ts'
import { type ContainerRecord, folderOf, type MountRecord } from '../../runtime/containers/record.ts'
import { discardContainer, findContainer, newId, placeContainer } from '../../runtime/containers/shelf.ts'
import { writeNetworkFiles } from '../../runtime/network/files.ts'
import { helperNetwork, type NetworkPlan, sharedWith } from '../../runtime/network/plan.ts'
import type { Places } from '../../runtime/places.ts'
import { holdVolume, releaseVolumes } from '../../runtime/volumes/shelf.ts'
import { volumeFolder } from '../../runtime/volumes/volume.ts'
import type { ContainerSpec } from '../containers.ts'
import { healthOf } from './care.ts'
import type { PlannedMount } from './mounts.ts'
import { type Granted, granted } from './wish.ts'

/** An image whose layers are directories. */
export interface PreparedImage {
  id: Digest
  chain: Digest[]
  /** Top first. */
  lower: string[]
  run: RunConfig
  /** The image's config as it stands. */
  config: unknown
}

/**
 * Throws a Fault when the wish can not be granted, or the image has no command and none was given. `instead`: programs in
 * place of a command that the image does not have.
 */
export async function makeContainer(
  places: Places,
  image: PreparedImage,
  spec: ContainerSpec,
  { instead }: { instead?: readonly string[] } = {},
): Promise<ContainerRecord> {
  const wish = granted(
    spec,
    image.run.volumes,
    (spec.volumesFrom ?? []).flatMap(one => volumesOf(places, one)),
  )
  const id = newId()
  const mounts = wish.mounts.map(one => recordOf(places, one))
  try {
    const record = place(places, image, spec, wish, { id, mounts, instead })
    const fills = wish.mounts.flatMap(({ name, fill, destination }) => (name && fill ? { name, destination } : []))
    if (fills.length === 0) return record
    const { fillVolumes } = await import('../../runtime/volumes/fill.ts')
    await fillVolumes(places, { lower: image.lower, folder: folderOf(places.containers, id).path, fills }).catch(
      async error => {
        await discardContainer(places, record, { volumes: true })
        throw asFault(error, 'A volume can not be filled')
      },
    )
    return record
  } catch (error) {
    await releaseVolumes(places, { id, mounts }, { anonymous: true })
    throw error
  }
}

function place(
  places: Places,
  image: PreparedImage,
  spec: ContainerSpec,
  wish: Granted,
  { id, mounts, instead }: { id: string; mounts: MountRecord[]; instead: readonly string[] | undefined },
): ContainerRecord {
  const { network, other } = networkOf(places, wish.network)
  const hostname = spec.hostname || other?.hostname || (network.mode === 'host' ? hostName() : id.slice(0, 12))
  const entrypoint = spec.entrypoint ?? image.run.entrypoint ?? []
  const cmd = spec.command ?? (spec.entrypoint === undefined ? image.run.cmd : null) ?? []
  const { mounts: _, network: __, parts, devices, warnings, ...limits } = wish
  const health = healthOf(spec.health, image.run.healthcheck)
  return placeContainer(
    places.containers,
    {
      version: 1,
      id,
      name: spec.name ?? null,
      image: spec.image,
      imageId: image.id,
      chain: image.chain,
      lower: image.lower,
      created: new Date().toISOString(),
      entrypoint: [...entrypoint],
      cmd: [...cmd],
      env: [...image.run.env, ...(spec.env ?? [])],
      user: spec.user ?? image.run.user,
      workingDir: spec.workingDir ?? image.run.workingDir,
      hostname,
      labels: { ...image.run.labels, ...spec.labels },
      tty: spec.tty === true,
      openStdin: spec.openStdin === true,
      remove: spec.remove === true,
      readOnly: spec.readOnly === true,
      ...limits,
      network: network.mode,
      networkPlan: network,
      ...(warnings.length > 0 && { warnings }),
      mounts,
      health,
      stopSignal: limits.stopSignal ?? image.run.stopSignal,
      imageConfig: image.config,
    },
    (folder, name) => {
      for (const mount of wish.mounts) makeReady(places, mount, id)
      const shared = other && folderOf(places.containers, other.id).path
      const files = writeNetworkFiles({ folder: folder.path, hostname, plan: network, shared })
      const hosts = join(folder.path, 'hosts')
      const config = containerConfig(image.run, {
        lower: image.lower,
        writable: { upper: folder.upper, work: folder.work, throwAway: spec.remove === true },
        command: spec.command && spec.command.length > 0 ? spec.command : null,
        entrypoint: spec.entrypoint ?? null,
        env: spec.env ?? [],
        user: spec.user ?? null,
        workingDir: spec.workingDir ?? null,
        hostname,
        terminal: spec.tty === true,
        network: network.mode,
        helperNetwork: helperNetwork(network, { id, name, hostname, hosts, state: places.state }),
        readOnlyRoot: spec.readOnly === true,
        volumes: [...files.map(file => ({ ...file, readOnly: false })), ...devices, ...bindsOf(places, wish.mounts)],
        tmpfs: wish.mounts.filter(one => one.kind === 'tmpfs'),
        memory: wish.memory,
        cpus: wish.cpus,
        pidsLimit: wish.pidsLimit,
        instead,
        parts: { ...parts, strata: { ...parts.strata, ...careOf(wish.restart, health) } },
      })
      writeFileSync(join(folder.bundle, 'config.json'), JSON.stringify(config), { mode: 0o600 })
    },
  )
}

/** The name of a container whose network is shared becomes its id; that one is given too. */
export function networkOf(
  places: Places,
  plan: NetworkPlan,
): { network: NetworkPlan; other: Pick<ContainerRecord, 'id' | 'hostname'> | null } {
  const name = sharedWith(plan.mode)
  if (name === null) return { network: plan, other: null }
  const other = findContainer(places.containers, name)
  if (sharedWith(other.network) === null) return { network: { ...plan, mode: `container:${other.id}` }, other }
  // What that one has is another one's: ours is that one's too.
  return networkOf(places, { ...plan, mode: other.network })
}

/** For its monitor. */
function careOf(restart: Granted['restart'], health: HealthCheck | null): object {
  return { ...(restart && { restart }), ...(health && { health }) }
}

/** Its source is there from now on, and a volume is this container's. */
function makeReady(places: Places, { kind, name, anonymous, labels, source, make }: PlannedMount, id: string): void {
  if (kind === 'volume') holdVolume(places, { name: name!, anonymous, labels }, id)
  else if (make) makeSource(source)
  else if (kind === 'bind' && !statSync(source, { throwIfNoEntry: false }))
    throw new Fault(`Invalid mount config for type "bind": bind source path does not exist: ${safe(source)}.`, {
      hint: 'With -v in place of --mount it would be made.',
      exitCode: 125,
    })
}

function recordOf(places: Places, { kind, name, anonymous, source, destination, readOnly }: PlannedMount): MountRecord {
  const own = kind === 'volume' ? { name, ...(anonymous && { anonymous }) } : {}
  return { kind, ...own, source: name ? volumeFolder(places, name).data : source, destination, readOnly }
}

/** What is mounted from this machine: directories, and those of volumes. */
export function bindsOf(places: Places, mounts: readonly PlannedMount[]) {
  return mounts
    .filter(one => one.kind !== 'tmpfs')
    .map(({ name, source, destination, readOnly, recursive, propagation }) => ({
      source: name ? volumeFolder(places, name).data : source,
      destination,
      readOnly,
      recursive,
      propagation,
    }))
}

/** The volumes of another container, `NAME[:ro]`: its directories of this machine too, as docker does it. */
function volumesOf(places: Places, text: string): MountRecord[] {
  const [, name = text, mode] = /^(.*?)(?::(ro|rw))?$/.exec(text) ?? []
  const { mounts } = findContainer(places.containers, name)
  const shared = mounts.filter(one => one.kind !== 'tmpfs')
  return shared.map(one => ({ ...one, readOnly: one.readOnly || mode === 'ro' }))
}

/** As docker's -v: a directory that is not there is made. One by one: Node's own way never ends where none can be made. */
function makeSource(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })) return
  makeSource(dirname(path))
  try {
    mkdirSync(path)
  } catch (error) {
    if ((error as { code?: unknown }).code === 'EEXIST') return
    throw new Fault(`The directory ${safe(path)} is not there and can not be made: ${reasonOf(error)}.`, {
      cause: error,
      exitCode: 125,
    })
  }
}
