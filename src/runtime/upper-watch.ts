/** A container's upper directory as it changes: the helper's `watch`, read line by line. */
import { Buffer } from 'node:buffer'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { Fault } from '../base/errors.ts'
import { Kind } from '../layer/entry.ts'
import { faultOf, findHelper } from './helper.ts'

/** One path of an upper layer as it stands now. */
export interface LiveChange {
  /** `-`: the path is no change any more. */
  op: 'A' | 'C' | 'D' | '-'
  /** Without the leading slash; bytes, for a name need not be text. */
  path: Uint8Array
  kind: Kind
  /** Bytes; null where whoever looks can not tell. */
  size: number | null
  mode: number
  uid: number
  gid: number
  mtime: number
  nsec: number
  /** Bytes that were at least written since the path was told of before. */
  written: number
  /** Which of the directories below has the path, counted from the top; null: none, or it is not known. */
  lower: number | null
  /** Bytes of it there. */
  lowerSize: number | null
  /** Where a symbolic link leads; null: it is none, or it is not known. */
  link: Uint8Array | null
  /** Why it differs: `content`, `mode`, `owner`, `time`, `xattr`, `type`, `device`. */
  reasons: readonly string[]
}

/** Changes that belong together. With the first batch that is no part everything that is a change has been told. */
export interface LiveBatch {
  /** More of the same batch follows: what is much is not gathered in memory. */
  part?: boolean
  changes: LiveChange[]
  /** Worth a line on the screen: events can not be had and the directory is walked instead. */
  notices: string[]
  /** Milliseconds between two looks where nothing tells of changes; null: they are told as they happen. */
  every: number | null
}

/** Changes in a part of a batch. */
const PART = 1000

/** An upper directory and what lies below it, top first. */
export interface UpperPlace {
  upper: string
  lower: readonly string[]
}

/**
 * Everything that is different, then what becomes different, some 40 ms after it happened. Ends when the directory is gone
 * or the signal aborts; throws a Fault when it can not be watched.
 */
export async function* watchUpper({ upper, lower }: UpperPlace, signal: AbortSignal): AsyncGenerator<LiveBatch> {
  const args = ['watch', ...lower.flatMap(below => ['--lower', below]), upper]
  const child = spawn(await findHelper(), args, { stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  child.stdin.on('error', () => {})
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-8192)
  })
  const ended = new Promise<number>(resolve => {
    child.once('error', () => resolve(1))
    child.once('close', code => resolve(code ?? 128))
  })
  const lines = createInterface({ input: child.stdout })
  // The helper ends with its input: also when we are killed. One that waits to be read does not look at its input.
  const stop = () => {
    child.stdin.destroy()
    lines.close()
    child.stdout.destroy()
  }
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  let batch: LiveBatch = { changes: [], notices: [], every: null }
  try {
    for await (const text of lines) {
      if (signal.aborted) return
      const line = JSON.parse(text) as Line
      if ('op' in line) {
        batch.changes.push(changeOf(line))
        if (batch.changes.length < PART) continue
        yield { ...batch, part: true }
        batch = { changes: [], notices: [], every: batch.every }
      } else if ('notice' in line) {
        batch.notices.push(line.text)
        if (line.notice === 'polled') batch.every = line.every ?? null
      } else {
        const { every } = batch
        yield batch
        batch = { changes: [], notices: [], every }
        if (line.gone) return
      }
    }
    const code = await ended
    if (code !== 0 && !signal.aborted) throw faultOf('watch', code, said)
  } finally {
    signal.removeEventListener('abort', stop)
    stop()
    await ended
  }
}

type Line =
  | ({ op: LiveChange['op']; path: string; pathBase64?: string } & Record<string, unknown>)
  | { notice: string; text: string; every?: number }
  | { sync: number; gone?: true }

/** The helper is ours, but what it tells of is not: numbers are numbers here, whatever came. */
function changeOf(line: Extract<Line, { op: unknown }>): LiveChange {
  const bytes = withoutSlash(line)
  const number = (key: string) => (typeof line[key] === 'number' ? (line[key] as number) : 0)
  const maybe = (key: string) => (typeof line[key] === 'number' ? (line[key] as number) : null)
  if (!['A', 'C', 'D', '-'].includes(line.op)) throw new Fault('The native runtime tells of an unknown change.')
  return {
    op: line.op,
    path: bytes,
    kind: kinds[line.type as string] ?? Kind.file,
    size: number('size'),
    mode: number('mode'),
    uid: number('uid'),
    gid: number('gid'),
    mtime: number('mtime'),
    nsec: number('nsec'),
    written: number('written'),
    lower: maybe('lower'),
    lowerSize: maybe('lowerSize'),
    link: linkOf(line),
    reasons: Array.isArray(line.reasons) && line.reasons.length > 0 ? line.reasons.map(String) : none,
  }
}

function withoutSlash({ path, pathBase64 }: { path: string; pathBase64?: string }): Uint8Array {
  if (pathBase64 === undefined) return Buffer.from(path.startsWith('/') ? path.slice(1) : path)
  const bytes = Buffer.from(pathBase64, 'base64')
  return bytes[0] === 0x2f ? bytes.subarray(1) : bytes
}

function linkOf({ link, linkBase64 }: Record<string, unknown>): Uint8Array | null {
  if (typeof linkBase64 === 'string') return Buffer.from(linkBase64, 'base64')
  return typeof link === 'string' ? Buffer.from(link) : null
}

/** Shared: a hundred thousand added files have no reasons. */
const none: readonly string[] = []

/** A socket is shown as a pipe: no layer can hold one. */
const kinds: Record<string, Kind> = {
  file: Kind.file,
  dir: Kind.dir,
  symlink: Kind.symlink,
  char: Kind.char,
  block: Kind.block,
  fifo: Kind.fifo,
  socket: Kind.fifo,
}
