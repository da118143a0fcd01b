/**
 * What of a builder's command line concerns us: the Dockerfile, the stage, where the image's id is written. All of it is
 * handed on as it is; docker, podman and buildah share these flags.
 */
import { join } from 'node:path'
import { usage } from '../usage.ts'

/** Flags of our own, which the builder does not get. */
export interface OwnFlags {
  engine?: string
  context?: string
  debug?: boolean
  json?: boolean
  ci?: boolean
  rules?: string
}

export interface BuildArguments {
  own: OwnFlags
  /** The builder's. */
  handed: string[]
  /** The Dockerfile's path; null when it comes from standard input, a URL or a tar. */
  file: string | null
  target: string | undefined
  /** Where the person wants the id written. */
  idFile: string | undefined
  /** `NAME=value`, or NAME alone. */
  buildArgs: string[]
  network: string | undefined
  /** The result goes elsewhere than into the engine's images. */
  elsewhere: boolean
}

/** Throws a usage Fault for a flag of ours without its value. */
export function readBuildArguments(args: readonly string[]): BuildArguments {
  const read: BuildArguments = {
    own: {},
    handed: [],
    file: null,
    target: undefined,
    idFile: undefined,
    buildArgs: [],
    network: undefined,
    elsewhere: false,
  }
  let named: string | undefined
  let folder: string | undefined
  for (let at = 0; at < args.length; at++) {
    const word = args[at]
    const equals = word.startsWith('--') ? word.indexOf('=') : -1
    const flag = equals < 0 ? word : word.slice(0, equals)
    const value = () => (equals < 0 ? args[at + 1] : word.slice(equals + 1))
    if (flag in ourValues) {
      const given = value()
      if (given === undefined) throw usage(`${flag} needs a value.`)
      read.own[ourValues[flag]] = given
      if (equals < 0) at++
      continue
    }
    if (word in ourSwitches) {
      read.own[ourSwitches[word]] = true
      continue
    }
    read.handed.push(word)
    if (word === '-' || !word.startsWith('-')) {
      folder = word
      continue
    }
    const joined = /^-f(.+)$/.exec(word)?.[1]
    const given = joined ?? value()
    if (flag === '--file' || word === '-f' || joined !== undefined) named = given
    else if (flag === '--target') read.target = given
    else if (flag === '--iidfile') read.idFile = given
    else if (flag === '--build-arg' && given !== undefined) read.buildArgs.push(given)
    else if (flag === '--network') read.network = given
    else if (flag === '--push' || flag === '--output' || word === '-o') read.elsewhere = true
    if (equals < 0 && joined === undefined && !switches.has(word) && at + 1 < args.length) read.handed.push(args[++at])
  }
  read.file = fileOf(named, folder)
  return read
}

/**
 * The same command line, building another Dockerfile of the same context up to its end and writing the id there. Nothing is
 * named, pushed or written elsewhere by it.
 */
export function upToHere(handed: readonly string[], file: string, idFile: string): string[] {
  const kept: string[] = []
  for (let at = 0; at < handed.length; at++) {
    const word = handed[at]
    const takes = word.startsWith('-') && !word.includes('=') && !switches.has(word)
    if (/^(--file|--target|--iidfile|--tag|--output|--metadata-file|--push)(=|$)|^-[fto]/.test(word)) {
      if (takes && !/^-[fto]./.test(word)) at++
      continue
    }
    if (/^--(no-cache|pull)(=|$)/.test(word)) continue
    kept.push(word)
    if (takes && word !== '-' && at + 1 < handed.length) kept.push(handed[++at])
  }
  return ['--file', file, '--iidfile', idFile, ...kept]
}

const ourValues: Record<string, 'engine' | 'context' | 'rules'> = {
  '--engine': 'engine',
  '--context': 'context',
  '--rules': 'rules',
}

const ourSwitches: Record<string, 'debug' | 'json' | 'ci'> = { '--debug': 'debug', '--json': 'json', '--ci': 'ci' }

/** Flags of docker, podman and buildah that take no value of their own: what follows them is the next word. */
const switches: ReadonlySet<string> = new Set([
  ...[
    '--all-platforms',
    '--compress',
    '--disable-compression',
    '--disable-content-trust',
    '--force-rm',
    '--help',
    '-h',
  ],
  ...['--http-proxy', '--identity-label', '--inherit-labels', '--layers', '--load', '--no-cache', '--no-hostname'],
  ...['--no-hosts', '--omit-history', '--pull', '--pull-always', '--pull-never', '--push', '--quiet', '-q', '--rm'],
  ...['--save-stages', '--skip-unused-stages', '--squash', '--squash-all', '--stdin', '-i', '--stream', '--tls-verify'],
])

function fileOf(named: string | undefined, folder: string | undefined): string | null {
  if (
    named === '-' ||
    (folder !== undefined && (folder === '-' || /^(https?|git|ssh):|^git@|^github\.com\//.test(folder)))
  )
    return null
  return named ?? (folder === undefined ? null : join(folder, 'Dockerfile'))
}
