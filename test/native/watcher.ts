/** `watch` as a test uses it: what its lines say together, and when they say it. */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { until } from '../harness/command.ts'
import { entry, tar } from '../harness/tar.ts'
import { helper, helperPath, type Identity } from './helper.ts'
import type { Room } from './room.ts'

export interface WatchLine {
  op: 'A' | 'C' | 'D' | '-'
  path: string
  type: string
  size: number
  mode: number
  mtime: number
  written: number
  writes: number
  lower?: number
  lowerSize?: number
  link?: string
  reasons?: string[]
}

export interface Mark {
  sync: number
  asked?: true
  gone?: true
}

export interface Watcher {
  pid: number
  /** What is a change now, by path. */
  now: Map<string, WatchLine>
  /** "A /path" of each, sorted. */
  letters(): string[]
  /** Every line so far, without the marks. */
  lines: WatchLine[]
  marks: Mark[]
  notices: { notice: string; text: string; every?: number }[]
  /** Has it look at everything, and waits until it has. */
  sync(): Promise<void>
  /** Called with each line as it comes. */
  onLine: ((line: WatchLine) => void) | null
  /** Ends its input; gives the exit status. */
  end(): Promise<number>
}

/** Watches the upper directory of a bundle; comes back when the first look is told. */
export async function watch(who: Identity, layers: string[], upper: string, env = {}): Promise<Watcher> {
  const ids = who.kind === 'root' ? {} : { uid: who.uid, gid: who.gid }
  const below = layers.flatMap(folder => ['--lower', folder])
  const child = spawn(helperPath, ['watch', ...below, upper], {
    ...ids,
    env: { PATH: '/usr/bin:/bin', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = new Promise<number>(resolve => child.once('close', code => resolve(code ?? 128)))
  const now = new Map<string, WatchLine>()
  const watcher: Watcher = {
    pid: child.pid!,
    now,
    lines: [],
    marks: [],
    notices: [],
    onLine: null,
    letters: () => [...now.values()].map(line => `${line.op} ${line.path}`).sort(),
    async sync() {
      const before = watcher.marks.length
      child.stdin.write('sync\n')
      await until(() => watcher.marks.slice(before).some(mark => mark.asked), { every: 5 })
    },
    end() {
      child.stdin.end()
      return ended
    },
  }
  createInterface({ input: child.stdout }).on('line', text => {
    const line = JSON.parse(text)
    if (line.sync) watcher.marks.push(line)
    else if (line.notice) watcher.notices.push(line)
    else {
      if (line.op === '-') now.delete(line.path)
      else now.set(line.path, line)
      watcher.lines.push(line)
      watcher.onLine?.(line)
    }
  })
  await until(() => watcher.marks.length > 0, { every: 5 })
  return watcher
}

/** What `diff` says of the same directory, "A /path", sorted. */
export async function diffOf(who: Identity, layers: string[], upper: string): Promise<string[]> {
  const result = await helper(who, ['diff', ...layers.flatMap(folder => ['--lower', folder]), upper])
  if (result.code !== 0) throw new Error(result.stderr)
  const lines = result.stdout.toString().split('\n').slice(0, -1)
  return lines
    .map(line => JSON.parse(line) as { change: string; path: string })
    .map(d => `${d.change} ${d.path}`)
    .sort()
}

let compiled: Buffer | null = null

/** The program `storm`, compiled once. */
export function stormProgram(): Buffer {
  if (compiled !== null) return compiled
  const folder = mkdtempSync(join(tmpdir(), 'strata-storm-'))
  try {
    const source = fileURLToPath(new URL('./storm.c', import.meta.url))
    execFileSync('cc', ['-static', '-O1', '-o', join(folder, 'storm'), source], { stdio: 'pipe' })
    compiled = readFileSync(join(folder, 'storm'))
    return compiled
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The layer with the program `storm`, and what it storms through. */
export async function addStorm(room: Room): Promise<void> {
  const tree = ['dir storm', 'dir storm/data', 'dir storm/deep', 'dir storm/deep/a', 'dir storm/deep/a/b']
  const files = ['storm/a', 'storm/data/a', 'storm/data/b', 'storm/deep/data', 'storm/deep/a/c', 'storm/deep/a/b/c']
  const text = [...tree, ...files.map(path => `file ${path} 100 0644 mtime=1000`)].join('\n')
  const result = await room.add(tar(entry({ path: 'bin/storm', body: stormProgram(), mode: 0o755 }), text))
  if (result.code !== 0) throw new Error(result.stderr)
}
