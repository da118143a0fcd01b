/** What a container uses: counters of its cgroups, of whichever layout; from /proc where it has none. */
import { existsSync, readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { processesOf } from './processes.ts'
import type { RuntimeState } from './states.ts'

export interface Usage {
  /** Milliseconds since 1970. */
  time: number
  /** Processor seconds. */
  cpu: number
  /** Bytes, without the page cache that can be dropped. */
  memory: number
  memoryLimit: number | null
  netReceived: number
  netSent: number
  blockRead: number
  blockWritten: number
  pids: number
}

export function usageOf(state: RuntimeState): Usage {
  const groups = groupsOf(state.cgroup)
  const processes = processesOf(state.pid)
  const net = interfacesOf(state.pid)
  const io = ioOf(processes.map(one => one.pid))
  return {
    time: Date.now(),
    cpu: groups.cpu() ?? processes.reduce((sum, one) => sum + one.cpu, 0),
    memory: groups.memory() ?? processes.reduce((sum, one) => sum + one.resident, 0),
    memoryLimit: groups.limit() ?? totalmem(),
    ...net,
    ...(groups.io() ?? io),
    pids: groups.pids() ?? processes.length,
  }
}

const root = '/sys/fs/cgroup'

/** Readers that give null where there is no such counter. */
function groupsOf(path: string) {
  const at = (tree: string, file: string) => (path === '' ? null : read(join(root, tree, path, file)))
  const unified = existsSync(join(root, 'cgroup.controllers'))
  const number = (text: string | null) => (text === null || !/^\d+\s*$/.test(text) ? null : Number(text))
  const field = (text: string | null, name: string) => {
    const found = text === null ? null : new RegExp(`^${name} (\\d+)$`, 'm').exec(text)
    return found ? Number(found[1]) : null
  }
  return {
    cpu() {
      if (unified) {
        const microseconds = field(at('', 'cpu.stat'), 'usage_usec')
        return microseconds === null ? null : microseconds / 1e6
      }
      const nanoseconds = number(at('cpuacct', 'cpuacct.usage') ?? at('cpu,cpuacct', 'cpuacct.usage'))
      return nanoseconds === null ? null : nanoseconds / 1e9
    },
    memory() {
      const used = number(unified ? at('', 'memory.current') : at('memory', 'memory.usage_in_bytes'))
      if (used === null) return null
      const cache = field(at(unified ? '' : 'memory', 'memory.stat'), unified ? 'inactive_file' : 'total_inactive_file')
      return cache !== null && cache < used ? used - cache : used
    },
    limit() {
      const limit = number(unified ? at('', 'memory.max') : at('memory', 'memory.limit_in_bytes'))
      return limit === null || limit > totalmem() ? null : limit
    },
    pids: () => number(at(unified ? '' : 'pids', 'pids.current')),
    io() {
      const text = unified ? at('', 'io.stat') : null
      if (text === null) return null
      const sum = (name: string) =>
        [...text.matchAll(new RegExp(`\\b${name}=(\\d+)`, 'g'))].reduce((all, one) => all + Number(one[1]), 0)
      return { blockRead: sum('rbytes'), blockWritten: sum('wbytes') }
    },
  }
}

/** Every interface but the loopback one. */
function interfacesOf(pid: number): { netReceived: number; netSent: number } {
  const lines = (read(`/proc/${pid}/net/dev`) ?? '').split('\n').slice(2)
  const rows = lines.map(line => line.trim().split(/[:\s]+/)).filter(row => row.length > 9 && row[0] !== 'lo')
  const sum = (column: number) => rows.reduce((all, row) => all + Number(row[column]), 0)
  return { netReceived: sum(1), netSent: sum(9) }
}

/** Of the processes that run now; those that have ended are in their parents' numbers no more. */
function ioOf(pids: readonly number[]): { blockRead: number; blockWritten: number } {
  const texts = pids.map(pid => read(`/proc/${pid}/io`) ?? '')
  const sum = (name: string) =>
    texts.reduce((all, text) => all + Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(text)?.[1] ?? 0), 0)
  return { blockRead: sum('read_bytes'), blockWritten: sum('write_bytes') }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
