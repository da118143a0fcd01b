/** What one instruction does to the config: the rules of Docker's builders, instruction by instruction. */
import {
  frugal,
  type Known,
  type Pair,
  parsePairs,
  toPair,
  unquote,
  type Variables,
  words,
} from './dockerfile-words.ts'
import { parseHealthcheck } from './healthcheck.ts'
import { type Instruction, parseList } from './instruction.ts'
import type { RunConfig } from './types.ts'

/** The final config, which decides where a line can be read in two ways. */
export interface Reading {
  env: Known
  labels: Known
  run: RunConfig
  windows: boolean
}

/** A config while it grows: what is keyed stands in maps and sets, the rest in `run`. */
export interface RunState {
  run: RunConfig
  env: Map<string, string>
  /** The same, for what is expanded. */
  variables: Variables
  labels: Map<string, string>
  ports: Set<string>
  volumes: Set<string>
  onBuild: string[]
}

/** A longer text of an instruction other than RUN is nothing that a builder wrote; it changes nothing. */
const longestText = 1 << 16

export function stateOf(run: RunConfig): RunState {
  const env = new Map(run.env.map(toPair))
  return {
    run: { ...run },
    env,
    variables: frugal(env),
    labels: new Map(Object.entries(run.labels)),
    ports: new Set(run.exposedPorts),
    volumes: new Set(run.volumes),
    onBuild: [...run.onBuild],
  }
}

/** Lays one more instruction on the config; gives the pairs of an ENV or LABEL. `keepsCmd`: this ENTRYPOINT leaves CMD alone. */
export function apply(state: RunState, instruction: Instruction, reading: Reading, keepsCmd: boolean): Pair[] {
  const { run, variables: env } = state
  const { text, keyword } = instruction
  if (text.length > longestText) return []
  const pairs = keyword === 'ENV' || keyword === 'LABEL' ? pairsOf(instruction, reading, env) : []
  switch (keyword) {
    case 'ENV':
      for (const [name, value] of pairs) state.env.set(name, value)
      break
    case 'LABEL':
      for (const [name, value] of pairs) state.labels.set(name, value)
      break
    case 'WORKDIR':
      run.workingDir = workingDirOf(run.workingDir, text, env, reading)
      break
    case 'USER':
      run.user = unquote(unbracket(text), env)
      break
    case 'ENTRYPOINT':
      run.entrypoint = commandOf(text, run, reading)
      if (!keepsCmd) run.cmd = null
      break
    case 'CMD':
      run.cmd = commandOf(text, run, reading)
      break
    case 'EXPOSE':
      for (const port of portsOf(text, env)) state.ports.add(port)
      break
    case 'VOLUME':
      for (const volume of volumesOf(text, env, reading.run.volumes)) state.volumes.add(volume)
      break
    case 'SHELL':
      run.shell = shellOf(text, reading)
      break
    case 'STOPSIGNAL':
      run.stopSignal = unquote(unbracket(text), env) || null
      break
    case 'HEALTHCHECK':
      run.healthcheck = parseHealthcheck(text) ?? run.healthcheck
      break
    case 'ONBUILD':
      state.onBuild.push(text)
      break
  }
  return pairs
}

/** The pairs of an ENV or LABEL. */
export function pairsOf(instruction: Instruction, reading: Reading, env: Variables): Pair[] {
  if (instruction.text.length > longestText) return []
  const known = instruction.keyword === 'ENV' ? reading.env : reading.labels
  return parsePairs(instruction.text, known, env, instruction.spelling !== 'plain')
}

/** `80/tcp`, `80 443/tcp`, `map[80/tcp:{}]`, `[80/tcp]`, each as `PORT/PROTOCOL`. */
export function portsOf(text: string, env: Variables): string[] {
  if (text.length > longestText) return []
  const inner = /^(?:map)?\[([\s\S]*)\]$/.exec(text)?.[1] ?? text
  return words(inner)
    .map(word => unquote(word.replace(/:\{\}$/, ''), env))
    .map(port => (port.includes('/') ? port.toLowerCase() : `${port}/tcp`))
}

/** `[/data /logs]`, `["/data"]`, `/data /logs`. Names with blanks lost their quotes: the `known` ones are put together. */
export function volumesOf(text: string, env: Variables, known: readonly string[]): string[] {
  if (text.length > longestText) return []
  const list = parseList(text) ?? words(text).map(word => unquote(word, env))
  for (const name of known.slice(0, 100)) {
    const parts = name.split(/\s+/)
    const at = parts.length < 2 ? -1 : list.findIndex((_, i) => parts.every((part, k) => list[i + k] === part))
    if (at >= 0) list.splice(at, parts.length, name)
  }
  return list
}

/** The exec form as a list; anything else is the shell form. */
export function commandOf(text: string, run: RunConfig, { windows }: Pick<Reading, 'windows'>): string[] {
  const list = parseList(text)
  if (list) return list
  const shell = run.shell ?? (windows ? ['cmd', '/S', '/C'] : ['/bin/sh', '-c'])
  return [...shell, text]
}

/** `[/bin/bash -o pipefail -c]` lost its quotes: the final config has them where it is the same shell. */
function shellOf(text: string, { run }: Reading): string[] {
  const list = parseList(text) ?? words(text)
  return run.shell && run.shell.join(' ') === list.join(' ') ? run.shell : list
}

/** A relative path lies below the one before it. */
function workingDirOf(below: string, text: string, env: Variables, { windows, run }: Reading): string {
  const path = windows ? text : unquote(unbracket(text), env)
  if (!windows) return cleanPath(path.startsWith('/') ? path : `${below}/${path}`)
  if (/^[a-z]:/i.test(path) || path === run.workingDir) return path
  if (/^[\\/]/.test(path)) return `C:${path.replaceAll('/', '\\')}`
  return `${below.replace(/\\$/, '') || 'C:'}\\${path.replaceAll('/', '\\')}`
}

function cleanPath(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}

/** `[nova]`, as the classic builder once wrote single values. */
function unbracket(text: string): string {
  return /^\[(\S*)\]$/.exec(text)?.[1] ?? text
}
