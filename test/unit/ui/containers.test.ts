/** The words of the Containers screen: states, times, ports, lines of logs. */
import { describe, expect, it } from 'vitest'
import type { Container } from '../../../src/engine/containers.ts'
import { maskSecrets } from '../../../src/ui/containers/secrets.ts'
import { spark } from '../../../src/ui/containers/table.ts'
import { portWords, sinceWords, stateWords } from '../../../src/ui/containers/words.ts'
import { container } from '../../harness/fake-containers.ts'

const facts = {
  startedAt: null,
  finishedAt: null,
  oomKilled: false,
  exitCode: null,
  error: '',
  restarts: 0,
  restartPolicy: 'no',
  upperBytes: null,
}

describe('the state of a container in words', () => {
  it.each<[Partial<Container>, Partial<typeof facts>, string]>([
    [{}, {}, 'running'],
    [{ health: 'healthy' }, {}, 'running (healthy)'],
    [{ health: 'unhealthy' }, {}, 'running (unhealthy)'],
    [{ state: 'exited', exitCode: 0 }, {}, 'exited 0'],
    [{ state: 'exited', exitCode: 137 }, {}, 'exited 137 killed'],
    [{ state: 'exited', status: 'Exited (143) 2 hours ago' }, {}, 'exited 143 terminated'],
    [{ state: 'exited', exitCode: 137 }, { oomKilled: true }, 'OOM killed'],
    [{ state: 'exited', exitCode: 3 }, {}, 'exited 3'],
    [{ state: 'exited', status: 'Exited' }, {}, 'exited'],
    [{ state: 'created' }, { error: 'no such file' as string }, 'did not start'],
    [{ state: 'lost' }, {}, 'lost'],
  ])('%o, %o: %s', (row, more, words) => {
    expect(stateWords(container('x', row), { ...facts, ...more })).toBe(words)
  })
})

describe('since when', () => {
  const now = Date.UTC(2026, 0, 2, 12)
  const ago = (seconds: number) => new Date(now - seconds * 1000).toISOString()

  it.each([
    ['running', { startedAt: ago(12) }, '< 1 min'],
    ['running', { startedAt: ago(3 * 3600) }, '3 h'],
    ['running', { startedAt: ago(-5) }, '< 1 min'],
    ['exited', { finishedAt: ago(12) }, 'just now'],
    ['exited', { finishedAt: ago(300) }, '5 min ago'],
    ['created', { finishedAt: '0001-01-01T00:00:00Z' }, ''],
    ['running', { startedAt: 'nonsense' }, ''],
  ] as const)('%s, %o: %s', (state, more, words) => {
    expect(sinceWords(container('x', { state }), { ...facts, ...more } as never, now)).toBe(words)
  })
})

it('ports are told once, however many addresses they are on', () => {
  const port = (host: string) => ({ host, hostPort: 8080, port: 80, protocol: 'tcp' as const })
  const inner = { host: '', hostPort: null, port: 53, protocol: 'udp' as const }
  expect(portWords([port('0.0.0.0'), port('::'), inner], '→')).toBe('8080→80 53/udp')
})

it('a sparkline is as wide whatever it shows', () => {
  expect(spark('▁▂▃▄▅▆▇█', [])).toBe('        ')
  expect(spark('▁▂▃▄▅▆▇█', [0, 5, 400])).toBe('     ▁▁█')
})

describe('secrets', () => {
  it('are masked by the name that tells of them, at any depth', () => {
    const { masked, count } = maskSecrets({ Env: ['A=b', 'API_TOKEN=x=y'], deep: [{ password: 'p' }, { n: 1 }] })
    expect(masked).toEqual({ Env: ['A=b', 'API_TOKEN=••••••'], deep: [{ password: '••••••' }, { n: 1 }] })
    expect(count).toBe(2)
  })

  it('are masked in addresses', () => {
    expect(maskSecrets(['postgres://me:pw@db/x']).masked).toEqual(['postgres://me:••••••@db/x'])
  })
})
