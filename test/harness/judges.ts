/**
 * Independent judges of a stack: a real overlay mount of the unpacked layers, and umoci. They run in a process with a
 * mount namespace of its own (root is needed), so that nothing is left behind however a test ends.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Entry, Kind, kindNames } from '../../src/layer/entry.ts'
import type { Stack } from '../../src/layer/stack.ts'

/** A layer for a judge: its tar in base64, and the paths that have an entry of their own (one character a byte). */
export interface JudgeLayer {
  tar: string
  explicit: string[]
}

export interface JudgeRequest {
  judge: 'overlay' | 'umoci' | 'native'
  layers: JudgeLayer[]
}

export interface Judge {
  /** What the judge sees: a line for each path, in order of path. Rejects with what the judge says of a broken image. */
  ask(request: JudgeRequest): Promise<string[]>
  close(): Promise<void>
}

/** Starts the judges' process. */
export function startJudge(): Judge {
  const folder = mkdtempSync(join(tmpdir(), 'strata-judge-'))
  const worker = fileURLToPath(new URL('./judge-worker.ts', import.meta.url))
  const args = ['--mount', '--propagation', 'private', process.execPath, worker, folder]
  const child = spawn('unshare', args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    async ask(request) {
      child.stdin.write(`${JSON.stringify(request)}\n`)
      const { value, done } = await answers.next()
      if (done) throw new Error('the judges are gone')
      const answer = JSON.parse(value) as { listing?: string[]; error?: string }
      if (answer.listing === undefined) throw new Error(answer.error)
      return answer.listing
    },
    async close() {
      child.stdin.end()
      await ended(child)
      rmdirSync(folder)
    },
  }
}

/** The topmost view of a stack, in the lines that the judges write. */
export function listingOf(stack: Stack): string[] {
  const { current } = stack.view(stack.layers.length - 1)
  const found: [path: string, ref: number][] = []
  for (let node = 1; node < stack.tree.nodes; node++) {
    if (current[node] !== -1) found.push([Buffer.from(stack.tree.path(node)).toString('latin1'), current[node]])
  }
  found.sort(([a], [b]) => (a < b ? -1 : 1))
  const names = new Map<number, string>()
  return found.map(([path, ref]) => {
    if (ref < 0) return `dir 0755 0:0 - ${path}`
    const inode = stack.inodeOf(ref)
    const entry = stack.entry(inode < 0 ? ref : inode)
    const first = names.get(inode) ?? path
    names.set(inode, first)
    const mode = entry.mode.toString(8).padStart(4, '0')
    const content = contentOf(stack, entry, inode, first === path ? '' : `= ${first}`)
    return [kindNames[entry.kind], mode, `${entry.uid}:${entry.gid}`, content, path].join(' ')
  })
}

function contentOf(stack: Stack, entry: Entry, inode: number, twin: string): string {
  if (entry.kind === Kind.symlink) return Buffer.from(entry.link ?? []).toString('latin1')
  if (entry.kind === Kind.char || entry.kind === Kind.block) return `${entry.devMajor},${entry.devMinor}`
  if (entry.kind !== Kind.file) return '-'
  return `${entry.size} ${stack.crcOf(inode)} ${entry.mtime * 1000} ${twin}`.trim()
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise(resolve => {
    if (child.exitCode !== null || child.signalCode !== null) resolve()
    else child.once('close', () => resolve())
  })
}
