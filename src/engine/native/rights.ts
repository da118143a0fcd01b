/**
 * What a container may do and use beyond what each has: capabilities, limits, devices, the words of --security-opt. As the
 * parts of an OCI configuration; docker's words and rules. Pure.
 */
import { isAbsolute, normalize } from 'node:path'
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import type { ConfigParts, Volume } from '../../runtime/bundle.ts'
import type { ContainerSpec } from '../containers.ts'

/** Throws a Fault (exit code 125) for what the native engine does not have. */
export function rightsOf(spec: ContainerSpec): { parts: ConfigParts; devices: Volume[]; warnings: string[] } {
  if (spec.privileged)
    throw refused(
      'The native engine has no --privileged: devices of this machine are live only where they are named.',
      'What it has: --cap-add ALL --security-opt seccomp=unconfined --security-opt systempaths=unconfined --device /dev/…',
    )
  const security = securityOf(spec.securityOptions ?? [])
  const { capAdd = [], capDrop = [] } = spec
  const changed = capAdd.length + capDrop.length > 0
  const capabilities = changed ? capabilitiesOf(capAdd, capDrop) : null
  const groups = (spec.groups ?? []).map(groupOf)
  const process = {
    ...(capabilities && {
      capabilities: { bounding: capabilities, permitted: capabilities, effective: capabilities },
    }),
    ...(security.noNewPrivileges !== null && { noNewPrivileges: security.noNewPrivileges }),
    ...(spec.ulimits?.length && { rlimits: spec.ulimits.map(limitOf) }),
    ...(spec.oomScore !== undefined && { oomScoreAdj: spec.oomScore }),
    ...(groups.length > 0 && { user: { additionalGids: groups } }),
  }
  const bare = security.bare ? { maskedPaths: [], readonlyPaths: [] } : {}
  const parts: ConfigParts = {
    process,
    linux: bare,
    sysctl: spec.sysctls ?? {},
    resources: resourcesOf(spec),
    strata: security.unconfined ? { seccomp: 'none' } : {},
    shmSize: spec.shmSize,
  }
  const filtered = !security.unconfined && (capabilities ?? []).some(one => gates.has(one.slice(4)))
  const warnings = filtered
    ? [
        'The system call filter stays the one for Docker’s usual capabilities: what it refuses, as mount, needs --security-opt seccomp=unconfined too.',
      ]
    : []
  return { parts, devices: (spec.devices ?? []).flatMap(deviceOf), warnings }
}

const usual = new Set(
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE'.split(
    ' ',
  ),
)
const all = [
  ...usual,
  ...'DAC_READ_SEARCH LINUX_IMMUTABLE NET_BROADCAST NET_ADMIN IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG LEASE AUDIT_CONTROL MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'.split(
    ' ',
  ),
]

/** With these Docker's own filter lets more through; ours stays as it is. */
const gates = new Set(
  'DAC_READ_SEARCH SYS_MODULE SYS_RAWIO SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_TIME SYS_TTY_CONFIG SYSLOG PERFMON BPF'.split(
    ' ',
  ),
)

/** moby's order: what is dropped goes first, unless all is. */
function capabilitiesOf(add: readonly string[], drop: readonly string[]): string[] {
  const [wanted, unwanted] = [add.map(nameOf), drop.map(nameOf)]
  const from = wanted.includes('ALL') ? all : unwanted.includes('ALL') ? [] : [...usual]
  const left = unwanted.includes('ALL') ? from : from.filter(one => !unwanted.includes(one))
  const more = wanted.includes('ALL') ? [] : wanted
  return [...new Set([...left, ...more])].map(one => `CAP_${one}`)
}

function nameOf(text: string): string {
  const name = text.toUpperCase().replace(/^CAP_/, '')
  if (name === 'ALL' || all.includes(name)) return name
  throw refused(
    `There is no capability “${safe(text)}”.`,
    'They have names like NET_ADMIN and SYS_PTRACE; ALL is all of them.',
  )
}

interface Security {
  noNewPrivileges: boolean | null
  unconfined: boolean
  bare: boolean
}

function securityOf(options: readonly string[]): Security {
  const security: Security = { noNewPrivileges: null, unconfined: false, bare: false }
  for (const option of options) {
    const [, key, value = ''] = /^([^=:]*)[=:]?(.*)$/s.exec(option) ?? []
    if (key === 'no-new-privileges' && /^(true|false|)$/.test(value)) security.noNewPrivileges = value !== 'false'
    else if (key === 'seccomp' && value === 'unconfined') security.unconfined = true
    else if (key === 'systempaths' && value === 'unconfined') security.bare = true
    else if (!(key === 'apparmor' && value === 'unconfined') && !(key === 'label' && value === 'disable'))
      throw refused(
        `The native engine has no --security-opt “${safe(option)}”.`,
        'It has no-new-privileges[:false], seccomp=unconfined, systempaths=unconfined; labels of AppArmor and SELinux it never sets.',
      )
  }
  return security
}

function limitOf({ name, soft, hard }: { name: string; soft: number; hard: number }) {
  return { type: `RLIMIT_${name.toUpperCase()}`, soft, hard }
}

function groupOf(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw refused(`The native engine adds groups by number, and “${safe(text)}” is a name.`)
}

function resourcesOf({ memory, memorySwap, memoryReservation, cpuShares, cpuPeriod, cpuQuota, cpus }: ContainerSpec) {
  if (memorySwap !== undefined && memory === undefined)
    throw refused('You should always set the Memory limit when using Memoryswap limit.', 'Give --memory too.')
  if (memorySwap !== undefined && memorySwap > 0 && memorySwap < memory!)
    throw refused('Minimum memoryswap limit should be larger than memory limit.')
  if (cpus !== undefined && (cpuPeriod !== undefined || cpuQuota !== undefined))
    throw refused('Conflicting options: --cpus and --cpu-period or --cpu-quota cannot both be set.')
  return {
    memory: {
      ...(memorySwap !== undefined && { swap: memorySwap }),
      ...(memoryReservation !== undefined && { reservation: memoryReservation }),
    },
    cpu: {
      ...(cpuShares && { shares: cpuShares }),
      ...(cpuPeriod && { period: cpuPeriod }),
      ...(cpuQuota && { quota: cpuQuota }),
    },
  }
}

/** Those are live in every container. */
const always = new Set(['null', 'zero', 'full', 'random', 'urandom', 'tty'].map(name => `/dev/${name}`))

/** A device is a file that is mounted: where it is named, and nowhere else, it is live. */
function deviceOf(text: string): Volume[] {
  const [source, second = source, third] = text.split(':')
  const rights = third ?? (/^[rwm]+$/.test(second) ? second : 'rwm')
  const destination = /^[rwm]+$/.test(second) && third === undefined ? source : second
  if (!isAbsolute(source) || !isAbsolute(destination) || !/^(rwm?|rw?m|mrw)$/.test(rights))
    throw refused(
      `“${safe(text)}” is no device.`,
      'Write --device /dev/NAME[:/dev/NAME]; what is given can be read and written.',
    )
  return always.has(source) && source === destination
    ? []
    : [{ source: normalize(source), destination: normalize(destination), readOnly: false, recursive: false }]
}

function refused(message: string, hint?: string): Fault {
  return new Fault(message, hint === undefined ? { exitCode: 125 } : { hint, exitCode: 125 })
}
