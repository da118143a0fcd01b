/** docker's flags of health checks, limits and rights, from the command line to what an engine takes. */
import { readFileSync } from 'node:fs'
import { Fault, reasonOf } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import type { ContainerSpec, HealthSpec } from '../../engine/containers.ts'
import type { Options } from '../program.ts'
import { pair, sizeOf } from './mounts.ts'

/** Throws a Fault (exit code 125, as docker) for a value that can not be read. */
export function rightsIn(options: Options): Partial<ContainerSpec> {
  const text = (key: string) => options[key] as string | undefined
  const texts = (key: string) => (options[key] as string[] | undefined) ?? []
  return {
    health: healthIn(options),
    memorySwap: text('memorySwap') === '-1' ? -1 : bytes(text('memorySwap'), '--memory-swap'),
    memoryReservation: bytes(text('memoryReservation'), '--memory-reservation'),
    cpuShares: whole(text('cpuShares'), '--cpu-shares'),
    cpuPeriod: whole(text('cpuPeriod'), '--cpu-period'),
    cpuQuota: whole(text('cpuQuota'), '--cpu-quota'),
    ulimits: texts('ulimit').map(limit),
    capAdd: texts('capAdd'),
    capDrop: texts('capDrop'),
    privileged: options.privileged === true,
    devices: texts('device'),
    securityOptions: texts('securityOpt'),
    shmSize: bytes(text('shmSize'), '--shm-size'),
    groups: texts('groupAdd'),
    sysctls: Object.fromEntries(texts('sysctl').map(pair)),
    oomScore: whole(text('oomScoreAdj'), '--oom-score-adj'),
    ...(options.init === true && { init: true }),
  }
}

/** `NAME=VALUE` lines of files, then the command line's. */
export function labelsIn(options: Options): Record<string, string> {
  const files = ((options.labelFile as string[] | undefined) ?? []).flatMap(linesOf)
  return Object.fromEntries([...files, ...((options.label as string[] | undefined) ?? [])].map(pair))
}

export function linesOf(path: string): string[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw wrong(`${safe(path)} can not be read: ${reasonOf(error)}.`)
  }
  const lines = text.split('\n').map(line => line.trimStart().replace(/\r$/, ''))
  return lines.filter(line => line !== '' && !line.startsWith('#'))
}

function healthIn(options: Options): HealthSpec | 'none' | undefined {
  const text = (key: string) => options[key] as string | undefined
  const spec = {
    command: text('healthCmd'),
    interval: duration(text('healthInterval'), '--health-interval'),
    timeout: duration(text('healthTimeout'), '--health-timeout'),
    startPeriod: duration(text('healthStartPeriod'), '--health-start-period'),
    retries: whole(text('healthRetries'), '--health-retries'),
  }
  const any = Object.values(spec).some(one => one !== undefined)
  if (options.healthcheck !== false) return any ? spec : undefined
  if (any) throw wrong('--no-healthcheck conflicts with --health-* options.')
  return 'none'
}

const units: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** As Go writes one: 300ms, 1m30s. Gives milliseconds. */
function duration(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined
  if (text === '0') return 0
  if (!/^(\d+(\.\d*)?(ns|us|µs|ms|s|m|h))+$/.test(text))
    throw wrong(`${flag} takes a time, and “${safe(text)}” is none.`, 'A time is 30s, 500ms or 1m30s.')
  const parts = [...text.matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g)]
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * units[unit], 0)
}

/** `nofile=1024:2048` */
function limit(text: string): { name: string; soft: number; hard: number } {
  const [, name = '', soft = '', hard = soft] = /^([a-z]+)=(-?\d{1,18})(?::(-?\d{1,18}))?$/.exec(text) ?? []
  if (!limits.has(name)) throw wrong(`“${safe(text)}” is no limit.`, 'Write --ulimit nofile=1024:2048.')
  if (Number(hard) >= 0 && (Number(soft) > Number(hard) || Number(soft) < 0))
    throw wrong('A soft limit must be at most the hard limit.')
  return { name, soft: Number(soft), hard: Number(hard) }
}

const limits = new Set(
  'core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(' '),
)

function bytes(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined
  const size = sizeOf(text)
  if (size === null)
    throw wrong(`${flag} takes a size, and “${safe(text)}” is none.`, 'A size is a number with b, k, m or g: 512m.')
  return size
}

function whole(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined
  if (!/^-?\d{1,15}$/.test(text)) throw wrong(`${flag} takes a whole number, and “${safe(text)}” is none.`)
  return Number(text)
}

function wrong(message: string, hint?: string): Fault {
  return new Fault(message, hint === undefined ? { exitCode: 125 } : { hint, exitCode: 125 })
}
