/** Processes as `docker top` lists them. */
import { readFileSync } from 'node:fs'
import type { Process } from '../../runtime/containers/processes.ts'

export function topOf(processes: readonly Process[]): { titles: string[]; rows: string[][] } {
  const up = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0])
  const now = Date.now()
  return {
    titles: ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD'],
    rows: processes.map(one => [
      userNames().get(one.uid) ?? String(one.uid),
      String(one.pid),
      String(one.parent),
      String(Math.floor((100 * one.cpu) / Math.max(1, up - one.started))),
      startTime(now - (up - one.started) * 1000, now),
      one.terminal,
      processorTime(one.cpu),
      one.command,
    ]),
  }
}

let known: Map<number, string> | null = null

/** As ps does: by the names of this machine. */
export function userNames(): Map<number, string> {
  known ??= new Map(
    readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map(line => line.split(':'))
      .filter(([name, , uid]) => name && /^\d+$/.test(uid ?? '') && name.length <= 8)
      .map(([name, , uid]) => [Number(uid), name] as const),
  )
  return known
}

/** `14:03` today, `Nov21` before. */
function startTime(ms: number, now: number): string {
  const date = new Date(ms)
  if (now - ms < 24 * 3_600_000) return date.toTimeString().slice(0, 5)
  return date.toDateString().slice(4, 10).replace(' ', '')
}

function processorTime(seconds: number): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0')
  return `${two(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`
}
