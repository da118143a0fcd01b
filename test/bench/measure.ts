/** Programs side by side: every contender once a round, in turns, so that what else the machine does hits all alike. */
import type { Cost, Meter, RunOptions } from '../harness/measured.ts'

export interface Contender {
  name: string
  program: string
  args: readonly string[]
  options?: RunOptions
  /** Done before each run: an empty cache folder, say. */
  before?: () => void
}

/** Median costs by name of the contender. A contender that fails stops the bench: its time would mean nothing. */
export async function race(meter: Meter, rounds: number, contenders: readonly Contender[]): Promise<Map<string, Cost>> {
  const costs = new Map<string, Cost[]>(contenders.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const { name, program, args, options, before } of contenders) {
      before?.()
      const run = await meter.run(program, args, { quiet: true, ...options })
      if (run.code !== 0) throw new Error(`${name} (${program} ${args.join(' ')}) ended with ${run.code}`)
      costs.get(name)?.push(run)
    }
  }
  return new Map([...costs].map(([name, runs]) => [name, medianCost(runs)]))
}

/** The middle one of some numbers. */
export function median(numbers: readonly number[]): number {
  return percentile(numbers, 0.5)
}

/** The number below which this share of them lies. */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

function medianCost(runs: readonly Cost[]): Cost {
  const of = (field: keyof Cost) => median(runs.map(run => run[field]))
  return { wall: of('wall'), cpu: of('cpu'), memory: of('memory') }
}
