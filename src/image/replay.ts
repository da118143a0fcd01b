/**
 * The config as of any step, replayed from what the history lines say. The last step's config is the image's own; what
 * no line tells of is taken to have been there from the beginning, because it came with the base or with an import.
 */
import { emptyRun } from './config.ts'
import { type Known, type Pair, toPair } from './dockerfile-words.ts'
import { type Instruction, type Keyword, parseInstruction } from './instruction.ts'
import { apply, pairsOf, portsOf, type Reading, type RunState, stateOf, volumesOf } from './replay-step.ts'
import type { ImageConfig, RunConfig, Step } from './types.ts'

export interface Replay {
  run: RunConfig
  /** Fields in which the replay of the whole history disagrees with the image's config: earlier steps may be wrong there. */
  differs: (keyof RunConfig)[]
}

/** The config as of a step (1-based; 0 is what lies below the first), and how far the history can be trusted. */
export function configAsOf(config: ImageConfig, steps: readonly Step[], stepIndex: number): Replay {
  const instructions = steps.map(step => parseInstruction(step.createdBy, step.comment))
  const reading = readingOf(config)
  const state = stateOf(startOf(config, instructions, reading))
  const lastOf = (keyword: Keyword) => instructions.findLastIndex(one => one.keyword === keyword)
  const [lastEntrypoint, lastCmd] = [lastOf('ENTRYPOINT'), lastOf('CMD')]

  let asked = stepIndex <= 0 ? runOf(state) : null
  for (const [at, instruction] of instructions.entries()) {
    // Docker drops a CMD that came from below with ENTRYPOINT, and keeps one of the same Dockerfile: the outcome tells.
    const keepsCmd = at === lastEntrypoint && lastCmd < at && same(state.run.cmd, config.run.cmd)
    apply(state, instruction, reading, keepsCmd)
    if (at + 1 === stepIndex) asked = runOf(state)
  }
  const replayed = runOf(state)
  const differs = fields.filter(field => !same(replayed[field], config.run[field]))
  return { run: asked === null || stepIndex >= steps.length ? config.run : asked, differs }
}

/** The pairs that an ENV or LABEL step of this image sets, read by what the final config has. */
export function readPairs(config: ImageConfig, instruction: Instruction): Pair[] {
  return pairsOf(instruction, readingOf(config), new Map())
}

const fields = Object.keys(emptyRun()) as (keyof RunConfig)[]

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

function readingOf(config: ImageConfig): Reading {
  return {
    env: known(config.run.env.map(toPair)),
    labels: known(Object.entries(config.run.labels)),
    run: config.run,
    windows: config.platform.os === 'windows',
  }
}

function known(pairs: Pair[]): Known {
  const values = new Map(pairs)
  return { values, names: new Set(values.keys()) }
}

/** What was there before the first step: everything in the final config that no step sets. */
function startOf(config: ImageConfig, instructions: readonly Instruction[], reading: Reading): RunConfig {
  const told = toldBy(instructions, reading)
  const { run } = config
  const start = emptyRun()
  start.env = run.env.filter(line => !told.env.has(toPair(line)[0]))
  // The builders give every Linux image that starts from nothing this PATH; a step that sets PATH extends it.
  if (told.env.has('PATH') && run.env[0]?.startsWith('PATH=') && !reading.windows)
    start.env.unshift(`PATH=${defaultPath}`)
  for (const [name, value] of Object.entries(run.labels)) if (!told.labels.has(name)) start.labels[name] = value
  start.exposedPorts = run.exposedPorts.filter(port => !told.ports.has(port))
  start.volumes = run.volumes.filter(volume => !told.volumes.has(volume))
  if (!told.keywords.has('ONBUILD')) start.onBuild = run.onBuild
  if (!told.keywords.has('WORKDIR')) start.workingDir = run.workingDir
  if (!told.keywords.has('USER')) start.user = run.user
  if (!told.keywords.has('ENTRYPOINT')) start.entrypoint = run.entrypoint
  if (!told.keywords.has('CMD')) start.cmd = run.cmd
  if (!told.keywords.has('SHELL')) start.shell = run.shell
  if (!told.keywords.has('STOPSIGNAL')) start.stopSignal = run.stopSignal
  if (!told.keywords.has('HEALTHCHECK')) start.healthcheck = run.healthcheck
  return start
}

function toldBy(instructions: readonly Instruction[], reading: Reading) {
  const told = {
    keywords: new Set<Keyword>(),
    env: new Set<string>(),
    labels: new Set<string>(),
    ports: new Set<string>(),
    volumes: new Set<string>(),
  }
  const none = new Map<string, string>()
  for (const instruction of instructions) {
    const { keyword, text } = instruction
    if (keyword) told.keywords.add(keyword)
    if (keyword === 'ENV') for (const [name] of pairsOf(instruction, reading, none)) told.env.add(name)
    if (keyword === 'LABEL') for (const [name] of pairsOf(instruction, reading, none)) told.labels.add(name)
    if (keyword === 'EXPOSE') for (const port of portsOf(text, none)) told.ports.add(port)
    if (keyword === 'VOLUME') for (const volume of volumesOf(text, none)) told.volumes.add(volume)
  }
  return told
}

function runOf(state: RunState): RunConfig {
  const run = { ...state.run, labels: emptyRun().labels }
  for (const [name, value] of state.labels) run.labels[name] = value
  run.env = Array.from(state.env, ([name, value]) => `${name}=${value}`)
  run.exposedPorts = [...state.ports]
  run.volumes = [...state.volumes]
  run.onBuild = [...state.onBuild]
  return run
}

/** Order counts in commands, not in what is a set by nature. */
function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(canonical(one)) === JSON.stringify(canonical(other))
}

function canonical(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
}
