/**
 * The log files of a container, rotated ones first: a JSON object a line, as docker writes them. Following waits for what
 * the kernel says of the files; nothing is polled.
 */
import { Buffer } from 'node:buffer'
import { watch } from 'node:fs'
import { type FileHandle, open, readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { LOG_LINE_MOST, type LogLine, type LogQuery } from '../containers.ts'

export interface LogSource {
  /** The newest file; older ones have `.1`, `.2` … behind their names. */
  path: string
  /** Whether more may come; asked when everything that is there has been read. */
  goesOn(): Promise<boolean>
  /** Calls when that may have changed; gives a function that ends it. */
  onChange(changed: () => void): () => void
}

/** Lines as they were said. With `follow` it ends when the container does, or with the signal. */
export async function* readLogs(source: LogSource, query: LogQuery = {}): AsyncGenerator<LogLine> {
  const { follow = false, tail, signal } = query
  const files = await openFiles(source.path)
  try {
    if (tail === undefined) for (const file of files) yield* chosen(linesOf(file), query)
    else if (tail > 0) yield* await lastLines(files, tail, query)
    else for (const file of files.slice(-1)) await toEnd(file)
    if (follow) yield* chosen(followed(source, files.pop() ?? null, signal), query)
  } finally {
    for (const { handle } of files) await handle.close()
  }
}

interface LogFile {
  handle: FileHandle
  inode: bigint
  /** Where the next read begins. */
  at: number
  /** What was read of a line whose end is not written yet. */
  rest: Buffer[]
}

/** Oldest first. A file that is renamed meanwhile is the same file: they are told by their inodes. */
async function openFiles(path: string): Promise<LogFile[]> {
  const name = basename(path)
  const names = (await readdir(dirname(path)).catch(() => [])).filter(one => one === name || isOlder(one, name))
  const age = (one: string) => (one === name ? 0 : Number(one.slice(name.length + 1)))
  const files: LogFile[] = []
  for (const one of names.sort((a, b) => age(b) - age(a))) {
    const file = await openFile(join(dirname(path), one))
    if (file === null) continue
    if (files.some(other => other.inode === file.inode)) await file.handle.close()
    else files.push(file)
  }
  return files
}

function isOlder(one: string, name: string): boolean {
  return one.startsWith(`${name}.`) && /^\d{1,3}$/.test(one.slice(name.length + 1))
}

async function openFile(path: string): Promise<LogFile | null> {
  const handle = await open(path, 'r').catch(() => null)
  return handle && { handle, inode: (await handle.stat({ bigint: true })).ino, at: 0, rest: [] }
}

/** The lines from where the file was read to, up to its end as it is now. */
async function* linesOf(file: LogFile): AsyncGenerator<LogLine> {
  const space = Buffer.allocUnsafe(128 * 1024)
  for (;;) {
    const { bytesRead } = await file.handle.read(space, 0, space.length, file.at)
    if (bytesRead === 0) return
    file.at += bytesRead
    let from = 0
    for (let end = space.indexOf(10, from); end >= 0 && end < bytesRead; end = space.indexOf(10, from)) {
      const line = Buffer.concat([...file.rest, space.subarray(from, end)])
      file.rest = []
      from = end + 1
      yield* parsed(line)
    }
    if (from < bytesRead) file.rest.push(Buffer.from(space.subarray(from, bytesRead)))
  }
}

/** Nothing for a line that a crash left incomplete. */
function* parsed(line: Buffer): Generator<LogLine> {
  let record: { log?: unknown; stream?: unknown; time?: unknown; logBase64?: unknown }
  try {
    record = JSON.parse(line.toString('utf8'))
  } catch {
    return
  }
  const text = typeof record.log === 'string' ? record.log : ''
  const bytes = typeof record.logBase64 === 'string' ? Buffer.from(record.logBase64, 'base64') : Buffer.from(text)
  const whole = bytes.at(-1) === 10
  const body = whole ? bytes.subarray(0, -1) : bytes
  const common = { stream: record.stream === 'stderr' ? 'stderr' : 'stdout', time: nanoseconds(record.time) } as const
  for (let at = 0; at < Math.max(body.length, 1); at += LOG_LINE_MOST) {
    const partial = !whole || at + LOG_LINE_MOST < body.length
    yield { ...common, bytes: body.subarray(at, at + LOG_LINE_MOST), ...(partial ? { partial } : {}) }
  }
}

/** `2026-11-22T07:41:03.123456789Z` */
function nanoseconds(text: unknown): bigint | null {
  const match = typeof text === 'string' ? /^(.{19})(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text) : null
  const ms = match ? Date.parse(match[1] + match[3]) : Number.NaN
  if (match === null || Number.isNaN(ms)) return null
  return BigInt(ms) * 1_000_000n + BigInt((match[2] ?? '').padEnd(9, '0') || 0)
}

/** Those between `since` and `until`. */
async function* chosen(lines: AsyncIterable<LogLine>, { since, until, signal }: LogQuery): AsyncGenerator<LogLine> {
  const first = since === undefined ? null : moment(since)
  const last = until === undefined ? null : moment(until)
  for await (const line of lines) {
    if (signal?.aborted) return
    if (last !== null && line.time !== null && line.time > last) return
    if (first === null || line.time === null || line.time >= first) yield line
  }
}

function moment(seconds: number): bigint {
  return BigInt(Math.floor(seconds)) * 1_000_000_000n + BigInt(Math.round((seconds % 1) * 1e9))
}

/** The last lines of all files together, counted as they were said: parts of one line are one. */
async function lastLines(files: readonly LogFile[], tail: number, query: LogQuery): Promise<LogLine[]> {
  const kept: LogLine[] = []
  let ends = 0
  let dropped = 0
  for (const file of files) {
    for await (const line of chosen(linesOf(file), query)) {
      kept.push(line)
      if (!line.partial) ends++
      const open = kept.at(-1)!.partial ? 1 : 0
      while (ends + open > tail && dropped < kept.length - 1) if (!kept[dropped++].partial) ends--
      if (dropped > 4096) {
        kept.splice(0, dropped)
        dropped = 0
      }
    }
  }
  return kept.slice(dropped)
}

async function toEnd(file: LogFile): Promise<void> {
  file.at = (await file.handle.stat()).size
}

/** What is written from now on, through rotations. `file` is closed here. */
async function* followed(source: LogSource, file: LogFile | null, signal?: AbortSignal): AsyncGenerator<LogLine> {
  let wake = () => {}
  let changed = true
  const told = () => {
    changed = true
    wake()
  }
  const watcher = watch(dirname(source.path), (_, name) => {
    if (name === null || name.startsWith(basename(source.path))) told()
  })
  const end = source.onChange(told)
  signal?.addEventListener('abort', told, { once: true })
  let current = file
  try {
    while (!signal?.aborted) {
      changed = false
      const more = await source.goesOn()
      current ??= await openFile(source.path)
      if (current) yield* linesOf(current)
      const next = await successor(source.path, current)
      if (next) {
        // What came between our last read and the rename.
        if (current) yield* linesOf(current)
        await current?.handle.close()
        current = next
        yield* linesOf(current)
      } else if (!more) return
      else if (!changed) {
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
    }
  } finally {
    watcher.close()
    end()
    signal?.removeEventListener('abort', told)
    await current?.handle.close()
  }
}

/** The file that stands there now, where it is another one. */
async function successor(path: string, current: LogFile | null): Promise<LogFile | null> {
  const now = await openFile(path)
  if (now === null) return null
  if (current === null || now.inode !== current.inode) return now
  await now.handle.close()
  return null
}
