/**
 * Where a container writes: its directories by the rate at which they are written to, what they seem to be, and the option
 * that would take them out of the upper layer. Pure.
 */
import { Kind } from '../layer/entry.ts'
import type { LiveLayer, LivePath } from './live-layer.ts'

export type HotClass = 'log' | 'database' | 'cache' | 'temp' | 'data'

export interface HotDirectory {
  /** Without the leading slash. */
  path: string
  /** Bytes a second now. */
  rate: number
  /** Bytes written since it is watched. */
  written: number
  /** Bytes that its files have in the upper layer. */
  bytes: number
  files: number
  looks: HotClass
  /** The option of `run` that moves it: `-v web-log:/var/log`. */
  option: string
}

/** Directories that are or were written to, the busiest first, then those that hold most. Paths are one character a byte. */
export function hotDirectories(
  layer: LiveLayer,
  container: string,
  now: number,
  paths: Iterable<LivePath> = layer.paths(),
): HotDirectory[] {
  const found = new Map<string, HotDirectory & { names: string[] }>()
  for (const one of paths) {
    if (one.op === 'D' || one.kind !== Kind.file) continue
    const path = Buffer.from(one.path).toString('latin1')
    const slash = path.lastIndexOf('/')
    const directory = slash < 0 ? '' : path.slice(0, slash)
    const hot = found.get(directory) ?? {
      path: directory,
      rate: 0,
      written: 0,
      bytes: 0,
      files: 0,
      looks: 'data',
      option: '',
      names: [],
    }
    found.set(directory, hot)
    hot.rate += layer.rate(one, now)
    hot.written += one.total
    hot.bytes += one.size ?? 0
    hot.files++
    if (hot.names.length < 50) hot.names.push(path.slice(slash + 1))
  }
  const all = [...found.values()].map(({ names, ...hot }) => {
    const looks = classOf(hot.path, names)
    return { ...hot, looks, option: optionFor(hot.path, looks, container) }
  })
  return all.sort((a, b) => b.rate - a.rate || b.written - a.written || b.bytes - a.bytes)
}

/** By where it lies, then by what its files are called. */
export function classOf(directory: string, names: readonly string[]): HotClass {
  const path = `/${directory}/`
  if (/\/(?:log|logs|journal)\//.test(path)) return 'log'
  if (
    /\/(?:mysql|mariadb|postgresql|postgres|pgdata|mongodb|redis|elasticsearch|etcd|clickhouse|influxdb)\//.test(path)
  )
    return 'database'
  if (/\/(?:\.cache|cache|__pycache__|\.npm|\.m2|\.gradle)\//.test(path)) return 'cache'
  const most = (pattern: RegExp) => names.filter(name => pattern.test(name)).length * 2 > names.length
  if (most(/\.(?:log|out|err)(?:\.\d+)?(?:\.gz)?$/)) return 'log'
  if (most(/\.(?:db|sqlite3?|mdb|ibd|wal|sst|ldb)(?:-(?:wal|shm|journal))?$/)) return 'database'
  if (/^\/(?:tmp|var\/tmp|run|var\/run)\//.test(path) || most(/\.(?:tmp|swp|part|lock|pid)$/)) return 'temp'
  return 'data'
}

/** Temporary files live in memory, everything else in a volume named after the container. */
function optionFor(directory: string, looks: HotClass, container: string): string {
  const path = directory === '' ? '/' : `/${directory}`
  if (looks === 'temp') return `--tmpfs ${quoted(path)}`
  const name = looks === 'data' ? (directory.split('/').at(-1) ?? 'data') : looks
  const word = name.replace(/[^\w.-]/g, '_') || 'data'
  return `-v ${container}-${word}:${quoted(path)}`
}

function quoted(path: string): string {
  return /^[\w./@%+=:,-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}
