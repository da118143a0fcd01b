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
  let run: RunConfig | null = null
  let state: RunState | null = null
  for (const one of replay(config, steps)) {
    state = one.state
    if (one.index === Math.max(0, stepIndex)) run = runOf(state)
  }
  const replayed = runOf(state!)
  const differs = fields.filter(field => !same(field, replayed[field], config.run[field]))
  return { run: run === null || stepIndex >= steps.length ? config.run : run, differs }
}

/** A step as a Dockerfile needs it. */
export interface ReadStep {
  instruction: Instruction
  /** Of an ENV or LABEL: what it sets, expanded. */
  pairs: Pair[]
  /** The SHELL that a plain RUN uses there; null: the platform's own. */
  shell: string[] | null
}

/** Every step, read with what the steps before it have set. */
export function readSteps(config: ImageConfig, steps: readonly Step[]): ReadStep[] {
  const result: ReadStep[] = []
  let shell: string[] | null = null
  for (const { instruction, pairs, state } of replay(config, steps)) {
    if (instruction) result.push({ instruction, pairs, shell })
    shell = state.run.shell
  }
  return result
}

/** The state after each step, and before the first (index 0). It is one object that goes on changing. */
function* replay(
  config: ImageConfig,
  steps: readonly Step[],
): Generator<{ index: number; instruction: Instruction | null; pairs: Pair[]; state: RunState }> {
  const instructions = steps.map(step => parseInstruction(step.createdBy, step.comment))
  const reading = readingOf(config)
  const state = stateOf(startOf(config, instructions, reading))
  const lastOf = (keyword: Keyword) => instructions.findLastIndex(one => one.keyword === keyword)
  const [lastEntrypoint, lastCmd] = [lastOf('ENTRYPOINT'), lastOf('CMD')]
  yield { index: 0, instruction: null, pairs: [], state }
  for (const [at, instruction] of instructions.entries()) {
    // Docker drops a CMD that came from below with ENTRYPOINT, and keeps one of the same Dockerfile: the outcome tells.
    const keepsCmd = at === lastEntrypoint && lastCmd < at && same('cmd', state.run.cmd, config.run.cmd)
    const pairs = apply(state, instruction, reading, keepsCmd)
    yield { index: at + 1, instruction, pairs, state }
  }
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
  const names = new Set(values.keys())
  return { values, names, spaced: [...names].filter(name => /\s/.test(name)).slice(0, 100) }
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
  // A build consumes the triggers of its base: those that the image has were set by its own steps, told or not.
  if (instructions.length === 0) start.onBuild = run.onBuild
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
  const { run } = reading
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
    if (keyword === 'VOLUME') for (const volume of volumesOf(text, none, run.volumes)) told.volumes.add(volume)
  }
  return told
}

/** The config that a state is. */
export function runOf(state: RunState): RunConfig {
  const run = { ...state.run, labels: emptyRun().labels }
  for (const [name, value] of state.labels) run.labels[name] = value
  run.env = Array.from(state.env, ([name, value]) => `${name}=${value}`)
  run.exposedPorts = [...state.ports]
  run.volumes = [...state.volumes]
  run.onBuild = [...state.onBuild]
  return run
}

/** Order counts in commands, not in what is a set or a map by nature; an empty command is none. */
function same(field: keyof RunConfig, one: unknown, other: unknown): boolean {
  return canonical(field, one) === canonical(field, other)
}

function canonical(field: keyof RunConfig, value: unknown): string {
  if (field === 'env' || field === 'exposedPorts' || field === 'volumes')
    return JSON.stringify([...(value as string[])].sort())
  if ((field === 'cmd' || field === 'entrypoint') && (value as string[] | null)?.length === 0) return 'null'
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return JSON.stringify(value)
  return JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
