/** Platforms: reading `os/arch[/variant]`, one spelling for each, and picking the best of an index, as containerd does. */
import { Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import type { Platform } from './types.ts'

/** Reads `os/arch[/variant]` or a bare architecture (of Linux). Throws a Fault (exit code 2) for anything else. */
export function parsePlatform(text: string): Platform {
  const parts = text.split('/')
  if (parts.length > 3 || !parts.every(part => /^[\w.-]{1,64}$/.test(part))) {
    throw new Fault(`“${safe(text)}” is no platform.`, {
      exitCode: 2,
      hint: 'Write os/arch or os/arch/variant: linux/arm64/v8.',
    })
  }
  if (parts.length === 1) return normalPlatform({ os: 'linux', architecture: parts[0], variant: null })
  return normalPlatform({ os: parts[0], architecture: parts[1], variant: parts[2] ?? null })
}

/** `linux/arm/v7` */
export function formatPlatform(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/')
}

/** One spelling for each platform: lower case, Go's names, no variant where it is the architecture's default. */
export function normalPlatform(platform: Platform): Platform {
  const os = platform.os.toLowerCase()
  const spelled = platform.architecture.toLowerCase()
  const [architecture, implied] = otherNames.get(spelled) ?? [spelled, null]
  const variant = platform.variant?.toLowerCase() || implied
  return { os: os === 'macos' ? 'darwin' : os, architecture, variant: normalVariant(architecture, variant) }
}

/** The platform of a machine from what Node calls it (`process.platform`, `process.arch`). Containers are Linux but on Windows. */
export function hostPlatform(machine: { platform: string; arch: string }): Platform {
  const os = machine.platform === 'win32' ? 'windows' : 'linux'
  const architecture = nodeNames[machine.arch] ?? machine.arch
  return normalPlatform({ os, architecture, variant: null })
}

/**
 * Which of the offered platforms serves the wanted one best: its position, -1 when none does. A machine also runs lower
 * variants of its architecture (arm/v7 runs v6 and v5, amd64/v3 runs v2 and v1) and arm64 runs arm. `unknown/unknown`
 * (attestations) is never picked.
 */
export function bestPlatform(offered: readonly (Platform | null)[], wanted: Platform): number {
  let best = -1
  let bestRank = Number.POSITIVE_INFINITY
  for (const [at, one] of offered.entries()) {
    const rank = one ? rankOf(normalPlatform(one), normalPlatform(wanted)) : Number.POSITIVE_INFINITY
    if (rank < bestRank) [best, bestRank] = [at, rank]
  }
  return best
}

/**
 * The same when nobody asked for a platform: the host's, else the first for Linux, else the first that is a platform at
 * all (a missing one counts as one). -1 only when there is nothing to pick.
 */
export function defaultPlatform(offered: readonly (Platform | null)[], host: Platform): number {
  const best = bestPlatform(offered, host)
  if (best >= 0) return best
  const linux = offered.findIndex(one => one?.os === 'linux' && one.architecture !== 'unknown')
  return linux >= 0 ? linux : offered.findIndex(one => one === null || one.os !== 'unknown')
}

/** Whether an image of the offered platform serves where the wanted one is asked for. */
export function platformServes(offered: Platform, wanted: Platform): boolean {
  return bestPlatform([offered], wanted) === 0
}

/** 0 for the very same, more the further down the fallback; Infinity when it does not serve. */
function rankOf(offered: Platform, wanted: Platform): number {
  if (offered.os !== wanted.os || offered.os === 'unknown') return Number.POSITIVE_INFINITY
  const at = fallbacks(wanted).indexOf(`${offered.architecture}/${offered.variant ?? ''}`)
  return at < 0 ? Number.POSITIVE_INFINITY : at
}

function fallbacks({ architecture, variant }: Platform): string[] {
  const own = `${architecture}/${variant ?? ''}`
  const level = Number(variant?.slice(1))
  const lower = (from: number, to: number, name: string) =>
    Array.from({ length: Math.max(0, from - to + 1) }, (_, at) => `${name}/v${from - at}`)
  if (architecture === 'arm') return [own, ...lower(Math.min(level, 9) - 1, 5, 'arm')]
  if (architecture === 'arm64') return [own, 'arm64/', ...lower(8, 5, 'arm')]
  if (architecture === 'amd64' && variant) return [own, ...lower(Math.min(level, 9) - 1, 2, 'amd64'), 'amd64/']
  return variant ? [own, `${architecture}/`] : [own]
}

function normalVariant(architecture: string, variant: string | null): string | null {
  const v = variant && /^\d/.test(variant) ? `v${variant}` : variant
  if (architecture === 'arm') return v ?? 'v7'
  if (architecture === 'arm64' && v === 'v8') return null
  if (architecture === 'amd64' && v === 'v1') return null
  return v ?? null
}

const otherNames = new Map<string, [string, string | null]>([
  ['x86_64', ['amd64', null]],
  ['x86-64', ['amd64', null]],
  ['i386', ['386', null]],
  ['i486', ['386', null]],
  ['i586', ['386', null]],
  ['i686', ['386', null]],
  ['x86', ['386', null]],
  ['aarch64', ['arm64', null]],
  ['armhf', ['arm', 'v7']],
  ['armv7l', ['arm', 'v7']],
  ['armel', ['arm', 'v6']],
  ['armv6l', ['arm', 'v6']],
  ['ppc64el', ['ppc64le', null]],
  ['mips64el', ['mips64le', null]],
])

const nodeNames: Record<string, string> = {
  x64: 'amd64',
  ia32: '386',
  ppc64: 'ppc64le',
  mipsel: 'mipsle',
  loong64: 'loong64',
}
