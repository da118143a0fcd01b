/** What a case of the bench is given and gives, and what all of them need. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Meter } from '../harness/measured.ts'
import { isThere } from '../harness/needs.ts'
import type { ImageInput } from './inputs.ts'
import type { Contender } from './measure.ts'

export interface Row {
  case: string
  figure: string
  ours: number
  /** What it is held against; null where the target is a number of its own. */
  limit: { name: string; value: number } | null
  target: number
  unit: 's' | 'ms' | 'MB' | 'bytes' | 'bytes/s' | '%' | 'calls'
}

export interface Bench {
  meter: Meter
  folder: string
  program: string
  rounds: number
  /** 1, or a tenth for `--quick`. */
  scale: number
  /** How long the soak takes. */
  minutes: number
}

/** Rows, or a sentence that says why there are none on this machine. */
export type Case = (bench: Bench) => Promise<Row[] | string>

export function rowsOf(
  name: string,
): (figure: string, ours: number, unit: Row['unit'], target: number, limit?: Row['limit']) => Row {
  return (figure, ours, unit, target, limit = null) => ({ case: name, figure, ours, limit, target, unit })
}

export function describe(image: ImageInput): string {
  return `${(image.bytes / 1e6).toFixed(0)} MB, ${image.entries} entries, ${image.tars.length} layers`
}

export interface AnalyseOptions {
  /** With an empty index cache each time. */
  cold: boolean
  /** In place of the image's path. */
  reference?: string
  env?: NodeJS.ProcessEnv
}

/** `strata analyze --json` of an image. */
export function analyse(bench: Bench, name: string, image: ImageInput, options: AnalyseOptions): Contender {
  const { cold, reference = image.path, env = process.env } = options
  return {
    name,
    program: bench.program,
    args: ['analyze', reference, '--json'],
    options: { env: { ...env, ...cacheOf(bench) } },
    before: cold ? () => emptyCache(bench) : () => {},
  }
}

/** What the program costs before it does anything. */
export function nothing(bench: Bench): Contender {
  return { name: 'nothing', program: bench.program, args: ['--version'] }
}

export function shell(name: string, script: string, args: readonly string[], env = process.env): Contender {
  return { name, program: 'sh', args: ['-c', script, name, ...args], options: { env } }
}

/** The peer, where there is one on the PATH: next to us in a row without a target. Its verdict is not its failure. */
export function dive(reference: string, env = process.env): Contender[] {
  return isThere('dive') ? [shell('dive', 'CI=true dive "$1" > /dev/null 2>&1 || true', [reference], env)] : []
}

export function cacheOf(bench: Bench): Record<string, string> {
  return { XDG_CACHE_HOME: join(bench.folder, 'cache') }
}

export function emptyCache(bench: Bench): void {
  rmSync(join(bench.folder, 'cache'), { recursive: true, force: true })
  mkdirSync(join(bench.folder, 'cache'))
}
