/** A new container of the native engine: its folder, its record, its bundle. Nothing runs yet. */
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { hostname as hostName } from 'node:os'
import { dirname, join } from 'node:path'
import { Fault, reasonOf } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import type { Digest, RunConfig } from '../../image/types.ts'
import { containerConfig } from '../../runtime/bundle.ts'
import { writeNetworkFiles } from '../../runtime/containers/files.ts'
import type { ContainerRecord } from '../../runtime/containers/record.ts'
import { newId, placeContainer } from '../../runtime/containers/shelf.ts'
import type { Places } from '../../runtime/places.ts'
import type { ContainerSpec } from '../containers.ts'
import { granted } from './wish.ts'

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
export function makeContainer(
  places: Places,
  image: PreparedImage,
  spec: ContainerSpec,
  { instead }: { instead?: readonly string[] } = {},
): ContainerRecord {
  const wish = granted(spec)
  const id = newId()
  const hostname = spec.hostname || (wish.network === 'host' ? hostName() : id.slice(0, 12))
  const entrypoint = spec.entrypoint ?? image.run.entrypoint ?? []
  const cmd = spec.command ?? (spec.entrypoint === undefined ? image.run.cmd : null) ?? []
  const { tmpfs, ...limits } = wish
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
      stopSignal: limits.stopSignal ?? image.run.stopSignal,
      imageConfig: image.config,
    },
    folder => {
      const volumes = wish.mounts.filter(one => one.kind === 'bind')
      for (const { source } of volumes) makeSource(source)
      const files = writeNetworkFiles(folder, hostname, wish.network)
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
        network: wish.network,
        readOnlyRoot: spec.readOnly === true,
        volumes: [...files.map(file => ({ ...file, readOnly: false })), ...volumes],
        tmpfs,
        memory: wish.memory,
        cpus: wish.cpus,
        pidsLimit: wish.pidsLimit,
        instead,
      })
      writeFileSync(join(folder.bundle, 'config.json'), JSON.stringify(config), { mode: 0o600 })
    },
  )
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
