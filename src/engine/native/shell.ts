/**
 * A shell in an image as of any of its steps: the layers up to there, that step's environment, directory and user, a
 * throw-away layer on top, no network unless one is wished. Nothing is left when it ends, unless it is to be kept as a container.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import { containerConfig, type Volume } from '../../runtime/bundle.ts'
import { callHere, type Ended } from '../../runtime/containers/foreground.ts'
import { folderOf } from '../../runtime/containers/record.ts'
import { discardContainer } from '../../runtime/containers/shelf.ts'
import { runContainerHere } from '../../runtime/containers/start.ts'
import { lendTools, type Tools } from '../../runtime/lent-tools.ts'
import { writeNetworkFiles } from '../../runtime/network/files.ts'
import { helperNetwork, type NetworkPlan } from '../../runtime/network/plan.ts'
import type { Places } from '../../runtime/places.ts'
import { throwAway } from '../../runtime/throw-away.ts'
import { findShell } from '../../source/sample-shell.ts'
import type { ContainerSpec } from '../containers.ts'
import { bindsOf, makeContainer, networkOf, type PreparedImage } from './make.ts'
import type { PlannedMount } from './mounts.ts'
import { granted } from './wish.ts'

/** Where a shell is in images, the most comfortable first. */
const shells = ['bash', 'ash', 'sh', '/bin/bash', '/bin/ash', '/bin/sh', '/busybox/sh']

/**
 * Runs a shell, or the wish's command, at our own terminal and gives its exit status: its own, 128+n for a signal. A wish
 * with a name becomes a container that stays. Throws a Fault (125, 126, 127) when it can not be run.
 */
export async function shellIn(places: Places, image: PreparedImage, wish: ContainerSpec): Promise<number> {
  const run = wish.name === undefined ? runThrowAway : runKept
  const first = await run(places, image, wish, null)
  if (first.fault === null) return first.status
  if (wish.command !== undefined || first.status !== 127) throw first.fault
  const { status, fault } = await run(places, image, wish, await borrowed(places))
  if (fault) throw fault
  return status
}

async function runThrowAway(
  places: Places,
  image: PreparedImage,
  wish: ContainerSpec,
  tools: Tools | null,
): Promise<Ended> {
  const {
    mounts,
    network: plan,
    warnings: _,
    devices,
    ...limits
  } = granted({ ...wish, network: wish.network ?? 'none' })
  const { network, other } = networkOf(places, plan)
  const hostname = wish.hostname ?? other?.hostname ?? 'strata'
  const volumes = namedVolumes(mounts)
  const top = await throwAway(join(places.state, 'shells'))
  try {
    const nothing = join(top.bundle, 'nothing')
    if (image.lower.length === 0) mkdirSync(nothing)
    if (volumes.length > 0) await readyVolumes(places, image, top.bundle, volumes)
    const config = containerConfig(image.run, {
      lower: image.lower.length === 0 ? [nothing] : image.lower,
      writable: { ...top, throwAway: true },
      command: wish.command ?? [tools?.shell ?? shells[0]],
      entrypoint: [],
      env: [...(wish.env ?? []), ...withTools(image, tools)],
      user: wish.user ?? null,
      workingDir: wish.workingDir ?? null,
      hostname,
      terminal: wish.tty === true,
      network: network.mode,
      helperNetwork: helperNetwork(network, {
        id: 'shell',
        name: hostname,
        hostname,
        hosts: join(top.bundle, 'hosts'),
        state: places.state,
      }),
      readOnlyRoot: wish.readOnly === true,
      volumes: [
        ...devices,
        ...bindsOf(places, mounts),
        ...names(places, top.bundle, hostname, network, other),
        ...(tools ? [tools.volume] : []),
      ],
      tmpfs: mounts.filter(one => one.kind === 'tmpfs'),
      ...limits,
      instead: wish.command ? [] : shells,
    })
    writeFileSync(join(top.bundle, 'config.json'), JSON.stringify(config), { mode: 0o600 })
    return await callHere(places, 'run', ['--foreground', '--bundle', top.bundle, 'shell'])
  } finally {
    await top.remove()
  }
}

/** Throws a Fault for a volume that nobody named: it would be gone with the shell. */
function namedVolumes(mounts: readonly PlannedMount[]): PlannedMount[] {
  const volumes = mounts.filter(one => one.kind === 'volume')
  const nameless = volumes.find(one => one.anonymous)
  if (nameless === undefined) return volumes
  throw new Fault(`A shell that is thrown away keeps no volume without a name for ${safe(nameless.destination)}.`, {
    hint: `Give it a name, -v NAME:${safe(nameless.destination)}, or keep the shell: --keep NAME.`,
    exitCode: 125,
  })
}

async function readyVolumes(places: Places, { lower }: PreparedImage, folder: string, volumes: PlannedMount[]) {
  const [{ createVolume }, { fillVolumes }] = await Promise.all([
    import('../../runtime/volumes/shelf.ts'),
    import('../../runtime/volumes/fill.ts'),
  ])
  for (const { name, labels } of volumes) createVolume(places, { name: name!, labels })
  const fills = volumes.flatMap(({ name, fill, destination }) => (fill ? { name: name!, destination } : []))
  await fillVolumes(places, { lower, folder, fills })
}

/** How names are looked up, where there is a network. */
function names(
  places: Places,
  folder: string,
  hostname: string,
  plan: NetworkPlan,
  other: { id: string } | null,
): Volume[] {
  if (plan.mode === 'none') return []
  const shared = other && folderOf(places.containers, other.id).path
  return writeNetworkFiles({ folder, hostname, plan, shared }).map(file => ({ ...file, readOnly: true }))
}

async function runKept(places: Places, image: PreparedImage, wish: ContainerSpec, tools: Tools | null): Promise<Ended> {
  const command = wish.command ?? [tools?.shell ?? shells[0]]
  const env = [...(wish.env ?? []), ...withTools(image, tools)]
  const lent = tools ? [`${tools.volume.source}:${tools.volume.destination}:ro`] : []
  const volumes = [...(wish.volumes ?? []), ...lent]
  const network = wish.network ?? 'none'
  const spec = { ...wish, command, env, volumes, network, entrypoint: [], openStdin: true }
  const record = await makeContainer(places, image, spec, { instead: wish.command ? [] : shells })
  const ended = await runContainerHere(places, record)
  if (ended.fault) await discardContainer(places, record, { volumes: true })
  return ended
}

function withTools({ run }: PreparedImage, tools: Tools | null): string[] {
  if (tools === null) return []
  const path = run.env.findLast(line => line.startsWith('PATH=')) ?? `PATH=${usual}`
  return [`${path}:${tools.folder}`]
}

const usual = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** For an image without any shell: one of this machine. */
async function borrowed({ state }: Places): Promise<Tools> {
  const { files, links } = findShell()
  const busybox = files.get('/bin/busybox')
  if (busybox) return lendTools(join(state, 'lent'), busybox, [...links.keys()])
  throw new Fault('The image has no shell as of this step, and this machine has no static busybox to lend it.', {
    hint: 'Install busybox-static, or name a program of the image: strata shell REF -- PROGRAM',
    exitCode: 127,
  })
}
