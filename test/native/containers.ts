/** Containers with a monitor, as tests drive them: every verb of the helper over one state directory in the room. */
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type CommandResult, until } from '../harness/command.ts'
import { errorOf, helper } from './helper.ts'
import type { Room, Wish } from './room.ts'

export interface State {
  id: string
  status: 'created' | 'running' | 'paused' | 'stopped'
  pid: number
  bundle: string
  annotations: Record<string, string>
  strata: {
    monitorPid: number | null
    startedAt: string | null
    finishedAt: string | null
    exitCode: number | null
    signal: number | null
    oomKilled: boolean
    error: string | null
    reason: string | null
    tty: boolean
    bootId: string
    cgroup: string
    log: string | null
  }
}

export interface Containers {
  /** The state root. */
  root: string
  verb(...words: string[]): Promise<CommandResult>
  /** As verb, with something on standard input. */
  feed(input: string | Uint8Array, ...words: string[]): Promise<CommandResult>
  /** A verb that has to succeed; its output without the last line end. */
  say(...words: string[]): Promise<string>
  /** Makes a bundle and runs it in the background; gives its id. Removed when the test is over. */
  run(wish: Wish, ...options: string[]): Promise<string>
  create(wish: Wish, ...options: string[]): Promise<string>
  /** The options that make a bundle's container: where it is, where its log goes. */
  options(bundle: string): string[]
  newId(): string
  state(id: string): Promise<State>
  /** Its state once it is stopped. */
  ended(id: string): Promise<State>
  /** The log's lines, parsed. */
  log(id: string): LogEntry[]
  /** What was said on both streams, once this is part of it. */
  said(id: string, text: string): Promise<string>
  connect(id: string): Promise<Attached>
}

export interface LogEntry {
  log: string
  stream: string
  time: string
}

let count = 0

export function containersOf(room: Room): Containers {
  const root = join(room.path, 'state')
  const bundles = new Map<string, string>()
  const c: Containers = {
    root,
    verb: (...words) => helper(room.who, ['--root', root, ...words]),
    feed: (input, ...words) => helper(room.who, ['--root', root, ...words], { input }),
    async say(...words) {
      const result = await c.verb(...words)
      if (result.code !== 0) throw new Error(`${words.join(' ')} ended with ${result.code}: ${errorOf(result)}`)
      return result.stdout.toString().replace(/\n$/, '')
    },
    newId() {
      const id = `c${++count}`
      onTestFinished(async () => void (await c.verb('delete', '--force', id)))
      return id
    },
    options: bundle => ['--bundle', bundle, '--log', join(bundle, 'log')],
    async run(wish, ...options) {
      const id = c.newId()
      bundles.set(id, room.bundle(wish))
      await c.say('run', '--detach', ...c.options(bundles.get(id)!), ...options, id)
      return id
    },
    async create(wish, ...options) {
      const id = c.newId()
      bundles.set(id, room.bundle(wish))
      await c.say('create', ...c.options(bundles.get(id)!), ...options, id)
      return id
    },
    state: async id => JSON.parse(await c.say('state', id)) as State,
    async ended(id) {
      await c.say('wait', id)
      return c.state(id)
    },
    log: id => readLog(join(bundles.get(id)!, 'log')),
    said: (id, text) =>
      until(() => {
        const whole = c
          .log(id)
          .map(line => line.log)
          .join('')
        return whole.includes(text) && whole
      }),
    connect: id => attachTo(join(root, id, 'attach.sock')),
  }
  return c
}

export function readLog(path: string): LogEntry[] {
  const text = readFileSync(path, 'utf8')
  return text
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line) as LogEntry)
}

/** A connection to a monitor, spoken frame by frame. */
export interface Attached {
  socket: Socket
  frames: { type: string; bytes: Buffer }[]
  send(type: string, bytes?: Uint8Array): void
  /** Everything of one type so far, as text. */
  text(type: string): string
  until(condition: () => boolean): Promise<void>
  closed: Promise<void>
}

export async function attachTo(path: string): Promise<Attached> {
  const socket = connect(path)
  onTestFinished(() => void socket.destroy())
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  let rest: Buffer = Buffer.alloc(0)
  const a: Attached = {
    socket,
    frames: [],
    send: (type, bytes = new Uint8Array()) => {
      const header = Buffer.alloc(5)
      header.write(type, 'latin1')
      header.writeUInt32LE(bytes.length, 1)
      socket.write(Buffer.concat([header, bytes]))
    },
    text: type =>
      Buffer.concat(a.frames.filter(frame => frame.type === type).map(frame => frame.bytes)).toString('latin1'),
    until: async condition => void (await until(condition)),
    closed: new Promise(resolve => socket.once('close', () => resolve())),
  }
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32LE(1)) {
      const end = 5 + rest.readUInt32LE(1)
      a.frames.push({ type: String.fromCharCode(rest[0]), bytes: Buffer.from(rest.subarray(5, end)) })
      rest = rest.subarray(end)
    }
  })
  return a
}
