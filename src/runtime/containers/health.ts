/** What the health checks of a container found: the file `health` that its monitor writes (native/README.md). */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Places } from '../places.ts'

export type HealthStatus = 'starting' | 'healthy' | 'unhealthy'

export interface HealthReport {
  status: HealthStatus
  failingStreak: number
  /** The last five, oldest first; times are ISO 8601, -1 is a check that took too long. */
  log: { start: string; end: string; exitCode: number; output: string }[]
}

/** As a container's config has it, in milliseconds. */
export interface HealthCheck {
  test: string[]
  interval: number
  timeout: number
  startPeriod: number
  retries: number
}

/** null before the container runs for the first time. */
export function readHealth(places: Places, id: string): HealthReport | null {
  try {
    const { status, failingStreak, log } = JSON.parse(readFileSync(join(places.state, id, 'health'), 'utf8'))
    if (status !== 'starting' && status !== 'healthy' && status !== 'unhealthy') return null
    return {
      status,
      failingStreak: Number(failingStreak) || 0,
      log: (Array.isArray(log) ? log : []).map(({ start, end, exitCode, output, cut }) => ({
        start: String(start),
        end: String(end),
        exitCode: Number(exitCode),
        output: `${output}${cut ? '...' : ''}`,
      })),
    }
  } catch {
    return null
  }
}
