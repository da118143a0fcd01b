/** docker's flags of a new container, from the command line to what an engine takes. */
import { resolve } from 'node:path'
import process from 'node:process'
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import type { ContainerSpec } from '../../engine/containers.ts'
import type { Options } from '../program.ts'
import { readMount, sizeOf } from './mounts.ts'
import { labelsIn, linesOf, rightsIn } from './rights.ts'

/** Throws a Fault (exit code 125, as docker) for a value that can not be read. */
export function specOf(image: string, command: readonly string[], options: Options): ContainerSpec {
  const text = (key: string) => options[key] as string | undefined
  const texts = (key: string) => (options[key] as string[] | undefined) ?? []
  const entrypoint = text('entrypoint')
  return {
    image,
    name: text('name'),
    command: command.length > 0 ? command : undefined,
    entrypoint: entrypoint === undefined ? undefined : entrypoint === '' ? [] : [entrypoint],
    env: environment(options),
    labels: labelsIn(options),
    workingDir: text('workdir'),
    user: text('user'),
    hostname: text('hostname'),
    tty: options.tty === true,
    openStdin: options.interactive === true,
    remove: options.rm === true,
    readOnly: options.readOnly === true,
    network: text('network') ?? text('net'),
    volumes: texts('volume').map(ownPath),
    mounts: texts('mount').map(readMount),
    volumesFrom: texts('volumesFrom'),
    tmpfs: texts('tmpfs'),
    networkAliases: texts('networkAlias'),
    dns: texts('dns'),
    dnsSearch: texts('dnsSearch'),
    dnsOptions: [...texts('dnsOption'), ...texts('dnsOpt')],
    addHosts: texts('addHost'),
    publish: texts('publish'),
    memory: bytes(text('memory')),
    cpus: number(text('cpus'), '--cpus'),
    pidsLimit: number(text('pidsLimit'), '--pids-limit'),
    stopSignal: text('stopSignal'),
    stopTimeout: number(text('stopTimeout'), '--stop-timeout'),
    restart: text('restart'),
    ...rightsIn(options),
    platform: text('platform'),
  }
}

/** `--env-file` first, `-e` over it; a NAME alone takes our own value, and is taken away where we have none. */
export function environment(options: Options): string[] {
  const files = ((options.envFile as string[] | undefined) ?? []).flatMap(linesOf)
  return [...files, ...((options.env as string[] | undefined) ?? [])].map(entry => {
    if (entry.includes('=')) return entry
    const own = process.env[entry]
    return own === undefined ? entry : `${entry}=${own}`
  })
}

/** A path of ours may be relative; a name of a volume has no slash and no dot in front. */
function ownPath(text: string): string {
  const colon = text.indexOf(':')
  const source = colon < 0 ? text : text.slice(0, colon)
  if (colon < 0 || !/^(?:\.{1,2}(?:\/|$)|~\/)/.test(source)) return text
  const home = source.startsWith('~/') ? (process.env.HOME ?? '/') + source.slice(1) : source
  return resolve(home) + text.slice(colon)
}

function bytes(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const size = sizeOf(text)
  if (size === null) throw wrong(`“${safe(text)}” is no size.`, 'A size is a number with b, k, m or g: 512m.')
  return size
}

function number(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw wrong(`${flag} takes a number, and “${safe(text)}” is none.`)
  return value
}

function wrong(message: string, hint?: string): Fault {
  return new Fault(message, hint === undefined ? { exitCode: 125 } : { hint, exitCode: 125 })
}
