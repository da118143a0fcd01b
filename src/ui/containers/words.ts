/** A container's state in words. Pure. */
import { formatAge } from '../../base/sizes.ts'
import type { Container, Port } from '../../engine/containers.ts'
import type { StyleName } from '../theme.ts'

/** What a list does not tell. */
export interface MoreFacts {
  startedAt: string | null
  finishedAt: string | null
  oomKilled: boolean
  exitCode: number | null
  error: string
  restarts: number
  /** `no`, `always`, `on-failure:3`; '' where it is not told. */
  restartPolicy: string
  /** Bytes of the upper layer; null where they are not known. */
  upperBytes: number | null
}

/** `running (healthy)`, `exited 137 killed`, `OOM killed`, `lost`. */
export function stateWords(container: Container, facts: MoreFacts | undefined): string {
  const { state, health } = container
  if (state === 'running') return health === null ? 'running' : `running (${health})`
  if (state !== 'exited') return state === 'created' && facts?.error ? 'did not start' : state
  if (facts?.oomKilled) return 'OOM killed'
  const code = codeOf(container, facts)
  if (code === null) return 'exited'
  const why = reasons[code]
  return why === undefined ? `exited ${code}` : `exited ${code} ${why}`
}

/** Never the only thing that tells it. */
export function stateStyle(container: Container, facts: MoreFacts | undefined): StyleName | null {
  const { state, health } = container
  if (state === 'running') return health === 'unhealthy' ? 'danger' : health === 'starting' ? 'warning' : 'ok'
  if (state === 'paused' || state === 'restarting' || state === 'removing') return 'warning'
  if (state === 'dead' || state === 'lost') return 'danger'
  if (state === 'created') return facts?.error ? 'danger' : 'dim'
  return codeOf(container, facts) === 0 && !facts?.oomKilled ? 'dim' : 'warning'
}

/** `3 h` for one that runs, `5 min ago` for one that has ended; '' while it is not known. `now` in milliseconds. */
export function sinceWords({ state }: Container, facts: MoreFacts | undefined, now: number): string {
  if (!facts) return ''
  const up = state === 'running' || state === 'paused'
  const moment = Date.parse((up ? facts.startedAt : facts.finishedAt) ?? '')
  // An engine says the year 1 for what never was.
  if (Number.isNaN(moment) || moment <= 0) return ''
  const ms = Math.max(0, now - moment)
  if (ms < 60_000) return up ? '< 1 min' : 'just now'
  return up ? formatAge(ms).replace(/ ago$/, '') : formatAge(ms)
}

/** `8080→80`, `53/udp`; each once, however many addresses it is published on. */
export function portWords(ports: readonly Port[], arrow: string): string {
  const words = ports.map(({ hostPort, port, protocol }) => {
    const own = protocol === 'tcp' ? String(port) : `${port}/${protocol}`
    return hostPort === null ? own : `${hostPort}${arrow}${own}`
  })
  return [...new Set(words)].join(' ')
}

function codeOf({ exitCode, status }: Container, facts: MoreFacts | undefined): number | null {
  const told = exitCode ?? facts?.exitCode ?? /\((-?\d{1,6})\)/.exec(status)?.[1] ?? null
  return told === null ? null : Number(told)
}

/** What the usual codes mean: the shell's own, and 128 + a signal. */
const reasons: Record<number, string> = {
  125: 'not started',
  126: 'not executable',
  127: 'not found',
  129: 'hung up',
  130: 'interrupted',
  131: 'quit',
  132: 'illegal instruction',
  134: 'aborted',
  135: 'bus error',
  136: 'arithmetic error',
  137: 'killed',
  139: 'crashed',
  141: 'broken pipe',
  143: 'terminated',
}
