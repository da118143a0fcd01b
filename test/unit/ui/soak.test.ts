/** A shortened soak: logs that stream through by the hundred thousand leave memory where it was. The hour is in the bench. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, onTestFinished, test } from 'vitest'
import type { ContainerEngine, LogLine } from '../../../src/engine/containers.ts'
import { followLogs } from '../../../src/ui/containers/tail.ts'
import { until } from '../../harness/command.ts'

const LINES = 150_000

/** Says so many lines, each some text of its own, colours and JSON among them. */
async function* says(): AsyncGenerator<LogLine> {
  for (let at = 0; at < LINES; at++) {
    const text = at % 3 === 0 ? `\x1b[32mINFO\x1b[0m line ${at}` : `{"level":"info","n":${at},"path":"/api/${at % 97}"}`
    yield { stream: at % 7 === 0 ? 'stderr' : 'stdout', time: BigInt(at) * 1_000_000n, bytes: Buffer.from(text) }
  }
}

test('two logs of 150 000 lines each, as one', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const used = () => {
    collect()
    const { heapUsed, external } = process.memoryUsage()
    return (heapUsed + external) / 1e6
  }
  const engine = { containers: { logs: says } } as unknown as ContainerEngine
  let told = 0
  let first: number | null = null
  const targets = ['web', 'api'].map(name => ({ id: name, name, engine: () => engine }))
  const log = followLogs({ targets, begin: {}, most: 50_000, changed: () => told++ })
  onTestFinished(log.stop)
  await until(() => {
    if (first === null && log.end() > 130_000) first = used()
    return log.end() === 2 * LINES
  })
  expect(used() - first!).toBeLessThan(8)
  expect(log.end() - log.first()).toBe(50_000)
  expect(log.line(log.end() - 1)?.text).toContain(`"n":${LINES - 1}`)
  // News are told a few times a second, never for each line.
  expect(told).toBeLessThan(LINES / 1000)
})
