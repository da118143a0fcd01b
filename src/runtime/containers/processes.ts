/** The processes of a container, as /proc shows them from outside. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

export interface Process {
  pid: number
  /** The number that it has in its own namespace. */
  inside: number
  parent: number
  uid: number
  /** Seconds since boot. */
  started: number
  /** Processor seconds that it has used. */
  cpu: number
  terminal: string
  /** Bytes that are in memory. */
  resident: number
  command: string
}

/** Every process of the pid namespace of that first process, in the order of their numbers. */
export function processesOf(first: number): Process[] {
  const space = namespaceOf(first)
  if (space === null) return []
  const pids = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
  return pids
    .filter(pid => namespaceOf(pid) === space)
    .sort((a, b) => a - b)
    .map(read)
    .filter(one => one !== null)
}

/** Ticks a second of the numbers in /proc, on every machine that Linux runs on today. */
export const ticks = 100
const page = 4096

function namespaceOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`)
  } catch {
    return null
  }
}

/** proc(5); null when it has ended meanwhile. */
function read(pid: number): Process | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const status = readFileSync(`/proc/${pid}/status`, 'latin1')
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      .split('\0')
      .filter(word => word !== '')
    return {
      pid,
      inside: Number(/^NSpid:.*?(\d+)\s*$/m.exec(status)?.[1] ?? pid),
      parent: Number(fields[1]),
      uid: Number(/^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1] ?? 0),
      started: Number(fields[19]) / ticks,
      cpu: (Number(fields[11]) + Number(fields[12])) / ticks,
      terminal: terminalName(Number(fields[4])),
      resident: Number(fields[21]) * page,
      command: words.length > 0 ? words.join(' ') : `[${stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))}]`,
    }
  } catch {
    return null
  }
}

/** `pts/0`, `?` */
function terminalName(device: number): string {
  const major = (device >> 8) & 0xfff
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00)
  return major >= 136 && major <= 143 ? `pts/${(major - 136) * 256 + minor}` : '?'
}
