/** What a container's monitor is to do for it: start it again, check its health. Docker's rules and words. Pure. */
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import type { Healthcheck } from '../../image/types.ts'
import type { HealthCheck } from '../../runtime/containers/health.ts'
import type { ContainerSpec, HealthSpec } from '../containers.ts'

export interface RestartPolicy {
  policy: 'on-failure' | 'always' | 'unless-stopped'
  /** Times; 0: no limit. */
  most: number
}

/** `no`, `always`, `unless-stopped`, `on-failure[:N]`; null: never. Throws a Fault (exit code 125) for any other. */
export function restartOf(spec: Pick<ContainerSpec, 'restart' | 'remove'>): RestartPolicy | null {
  const wish = spec.restart ?? 'no'
  const [, policy = '', tries] = /^(no|always|unless-stopped|on-failure|)(?::(-?\d{1,9}))?$/.exec(wish) ?? []
  if (!/^(no|always|unless-stopped|on-failure|)(:-?\d{1,9})?$/.test(wish))
    throw refused(
      `Invalid restart policy “${safe(wish)}”.`,
      'It is no, always, unless-stopped, on-failure or on-failure:5.',
    )
  if (tries !== undefined && policy !== 'on-failure')
    throw refused(`A maximum retry count cannot be used with restart policy “${safe(policy)}”.`)
  if (Number(tries) < 0) throw refused('The maximum retry count cannot be negative.')
  if (policy === '' || policy === 'no') return null
  if (spec.remove)
    throw refused('Conflicting options: --restart and --rm.', 'What is started again is not removed at its end.')
  return { policy: policy as RestartPolicy['policy'], most: Number(tries ?? 0) }
}

/** As docker writes it: `on-failure:3`. */
export function restartWords(restart: RestartPolicy | null | undefined): string {
  if (!restart) return 'no'
  return restart.most > 0 ? `${restart.policy}:${restart.most}` : restart.policy
}

/** The image's check with what is wished over it; null: none. Throws a Fault (exit code 125) for times that can not be. */
export function healthOf(wish: HealthSpec | 'none' | undefined, image: Healthcheck | null): HealthCheck | null {
  if (wish === 'none') return null
  const own: HealthSpec = wish ?? {}
  const test = own.command === undefined ? (image?.test ?? []) : ['CMD-SHELL', own.command]
  const [kind, ...words] = test
  if (kind === undefined || kind === 'NONE' || words.length === 0) return null
  if (kind !== 'CMD' && kind !== 'CMD-SHELL')
    throw refused(`The health check begins with “${safe(kind)}”, which is unknown.`)
  const time = (name: string, mine: number | undefined, nanoseconds: number | undefined, usual: number) => {
    const ms = mine || (nanoseconds ? nanoseconds / 1e6 : 0)
    if (ms < 0 || (ms > 0 && ms < 1)) throw refused(`${name} in Healthcheck cannot be less than 1ms.`)
    return ms === 0 ? usual : Math.round(ms)
  }
  const retries = own.retries || image?.retries || 3
  if (retries < 0 || !Number.isInteger(retries)) throw refused('Retries in Healthcheck cannot be negative.')
  return {
    test: kind === 'CMD' ? words : ['/bin/sh', '-c', words[0]],
    interval: time('Interval', own.interval, image?.interval, 30_000),
    timeout: time('Timeout', own.timeout, image?.timeout, 30_000),
    startPeriod: time('StartPeriod', own.startPeriod, image?.startPeriod, 0),
    retries,
  }
}

function refused(message: string, hint?: string): Fault {
  return new Fault(message, hint === undefined ? { exitCode: 125 } : { hint, exitCode: 125 })
}
