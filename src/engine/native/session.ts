/**
 * A container's streams for who draws them himself: attached through the monitor's socket, executed through the pipes of
 * the helper. Frames of the socket are one byte of type, four of length (little-endian), and the payload.
 */
import { Buffer } from 'node:buffer'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { Fault, reasonOf } from '../../base/errors.ts'
import { faultOf, findHelper } from '../../runtime/find-helper.ts'
import type { Places } from '../../runtime/places.ts'
import type { ExecSpec, Session } from '../containers.ts'
import { execOptions } from './exec-options.ts'

/** The most that is said at once, by either side (native/src/frames.h). */
const frameMost = 64 * 1024

/** Lays hold of the streams of a running container. Throws a Fault when its monitor does not answer. */
export async function attachSession(
  places: Places,
  id: string,
  { stdin = true, replay = false } = {},
): Promise<Session> {
  const socket = await connectTo(join(places.state, id, 'attach.sock'))
  const output = new PassThrough()
  const errors = new PassThrough()
  let code: number | null = null
  let room = true
  let forget = replay
  const more = () => {
    room = true
    socket.resume()
  }
  const take = frames((type, payload) => {
    if (type === 'x' && payload.length >= 4) code = payload.readInt32LE(0)
    // What came before the replay is in it too.
    if (type === 'p') forget = false
    const into = forget ? null : type === 'o' ? output : type === 'e' ? errors : null
    if (into && !into.write(payload)) {
      room = false
      into.once('drain', more)
    }
  })
  const ended = new Promise<number | null>(resolve => {
    socket.on('data', (chunk: Buffer) => {
      if (!take(chunk)) socket.destroy()
      else if (!room) socket.pause()
    })
    socket.on('error', () => {})
    socket.once('close', () => {
      output.end()
      errors.end()
      resolve(code)
    })
  })
  const send = (type: string, payload: Uint8Array = new Uint8Array(0)) => {
    const head = Buffer.alloc(5)
    head[0] = type.charCodeAt(0)
    head.writeUInt32LE(payload.length, 1)
    return new Promise<void>((resolve, reject) => {
      socket.write(Buffer.concat([head, payload]), error => (error ? reject(error) : resolve()))
    })
  }
  const sendAll = async (bytes: Buffer) => {
    for (let at = 0; at < bytes.length; at += frameMost) await send('i', bytes.subarray(at, at + frameMost))
  }
  if (replay) void send('p').catch(() => {})
  const input = new Writable({
    write: (chunk: Buffer, _, done) => void sendAll(chunk).then(() => done(), done),
    final: done =>
      void send('c').then(
        () => done(),
        () => done(),
      ),
  })
  input.on('error', () => {})
  return {
    input: stdin ? input : null,
    output,
    errors,
    ended,
    async resize(columns, rows) {
      const size = Buffer.alloc(4)
      size.writeUInt16LE(columns, 0)
      size.writeUInt16LE(rows, 2)
      await send('r', size).catch(() => {})
    },
    close() {
      socket.destroy()
    },
  }
}

/** Runs a command in a running container, without a terminal of its own: for that the helper wants ours. */
export async function execSession(places: Places, id: string, spec: ExecSpec): Promise<Session> {
  const args = ['--root', places.state, '--error-fd', '3', 'exec', ...execOptions(spec), id, ...spec.command]
  const child = spawn(findHelper(), args, { stdio: [spec.stdin ? 'pipe' : 'ignore', 'pipe', 'pipe', 'pipe'] })
  let said = ''
  ;(child.stdio[3] as NodeJS.ReadableStream).on('data', chunk => {
    said = (said + String(chunk)).slice(-8192)
  })
  child.stdin?.on('error', () => {})
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (said.includes('"error":')) reject(faultOf('exec', code ?? 1, said))
      else resolve(code ?? (signal ? 128 : null))
    })
  })
  ended.catch(() => {})
  return {
    input: child.stdin,
    output: child.stdout!,
    errors: child.stderr,
    ended,
    resize: async () => {},
    close: () => void child.kill('SIGTERM'),
  }
}

/** Reads frames out of chunks; gives false when what comes is none. */
function frames(frame: (type: string, payload: Buffer) => void): (chunk: Buffer) => boolean {
  let rest: Buffer = Buffer.alloc(0)
  return chunk => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (rest.length >= 5) {
      const length = rest.readUInt32LE(1)
      if (length > frameMost) return false
      if (rest.length < 5 + length) return true
      frame(String.fromCharCode(rest[0]), rest.subarray(5, 5 + length))
      rest = rest.subarray(5 + length)
    }
    return true
  }
}

/** The kernel takes 107 bytes of a socket's path: a longer one is reached through a link. */
async function connectTo(path: string): Promise<Socket> {
  const short = Buffer.byteLength(path) <= 107 ? null : mkdtempSync(join(tmpdir(), 'strata-'))
  try {
    if (short) symlinkSync(path, join(short, 's'))
    return await new Promise<Socket>((resolve, reject) => {
      const socket = connect(short ? join(short, 's') : path)
      socket.once('connect', () => resolve(socket))
      socket.once('error', error =>
        reject(new Fault(`The container can not be attached to: ${reasonOf(error)}.`, { cause: error })),
      )
    })
  } finally {
    if (short) rmSync(short, { recursive: true, force: true })
  }
}
