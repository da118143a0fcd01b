/** Programs in containers of Docker and Podman, their streams over a connection that was taken over: exec and attach. */
import { setTimeout as delay } from 'node:timers/promises'
import * as z from 'zod'
import { Fault } from '../base/errors.ts'
import type { Client } from './client.ts'
import type { ExecSpec, Session } from './containers.ts'
import { containerPath, exitCodeIn, waitShape } from './daemon-actions.ts'
import { containerLogs } from './daemon-logs.ts'
import { containerFactsShape } from './daemon-shapes.ts'
import { openStreams } from './daemon-streams.ts'
import { EngineFault } from './fault.ts'
import { flag, number } from './fields.ts'

/** Starts a program in a container that runs, and is attached to it. */
export async function execSession(client: Client, id: string, spec: ExecSpec): Promise<Session> {
  const { tty = false, stdin = false } = spec
  const { Id } = await client.send('POST', `/containers/${containerPath(id)}/exec`, createdShape, {
    body: {
      AttachStdin: stdin,
      AttachStdout: true,
      AttachStderr: true,
      Tty: tty,
      Cmd: spec.command,
      Env: spec.env ?? [],
      User: spec.user ?? '',
      WorkingDir: spec.workingDir ?? '',
      Privileged: spec.privileged ?? false,
      DetachKeys: neverTyped,
    },
  })
  const exec = `/exec/${execPath(Id)}`
  const connection = await client.hijack(`${exec}/start`, { body: { Detach: false, Tty: tty } })
  const streams = openStreams(connection, { tty, stdin })
  return {
    ...streams,
    resize: (columns, rows) => resize(client, exec, columns, rows),
    ended: streams.ended.then(own => (own ? null : execExitCode(client, exec))),
  }
}

/** Is attached to a container's first program, whether it runs or is about to be started. */
export async function attachSession(
  client: Client,
  id: string,
  { stdin = false, replay = false }: { stdin?: boolean; replay?: boolean } = {},
): Promise<Session> {
  const path = `/containers/${containerPath(id)}`
  const { tty } = await client.get(`${path}/json`, containerFactsShape)
  // Asked before anything ends: a container that is removed at its end can not be asked afterwards.
  const left = new AbortController()
  const exit = nextExit(client, path, left.signal)
  try {
    const connection = await client.hijack(`${path}/attach`, {
      query: {
        stream: 1,
        stdout: 1,
        stderr: 1,
        stdin: stdin ? 1 : 0,
        logs: replay && client.kind === 'docker' ? 1 : 0,
        detachKeys: neverTyped,
      },
    })
    // What Podman replays has wrong lengths: it is taken from the log instead.
    const before = replay && client.kind === 'podman' ? logBytes(client, id, left.signal) : null
    const streams = openStreams(connection, { tty, stdin, before })
    const ended = streams.ended.then(async own => {
      const code = own ? null : await Promise.race([exit, delay(exitPatience, null)])
      left.abort()
      return code
    })
    return { ...streams, ended, resize: (columns, rows) => resize(client, path, columns, rows) }
  } catch (error) {
    left.abort()
    throw error
  }
}

/**
 * Engines detach on keys of their own, and hold the first of them back until they see the next. Who is attached lets go
 * by closing: these are keys that nobody types, so that all that is typed arrives at once.
 */
const neverTyped = Array(8).fill('ctrl-^').join(',')

/** Milliseconds until the end of a program's output is not taken for its end. */
const exitPatience = 2_000

const nothing = z.unknown()
const createdShape = z.object({ Id: z.string() })
const execShape = z.object({ Running: flag, ExitCode: z.number().nullable().catch(null), Pid: number })

function execPath(id: string): string {
  if (/^[a-f\d]{1,128}$/i.test(id)) return id
  throw new Fault('The engine named a program that can not be.')
}

async function* logBytes(client: Client, id: string, signal: AbortSignal) {
  for await (const { stream, bytes, partial } of containerLogs(client, id, { signal }))
    yield { stream, bytes: partial ? Buffer.from(bytes) : Buffer.concat([bytes, lineEnd]) }
}

const lineEnd = Buffer.from('\n')

async function nextExit(client: Client, path: string, signal: AbortSignal): Promise<number | null> {
  try {
    const call = { query: { condition: 'next-exit' }, signal, timeout: Infinity }
    return exitCodeIn(await client.send('POST', `${path}/wait`, waitShape, call))
  } catch {
    return null
  }
}

/** The streams end a moment before the engine knows the exit code. */
async function execExitCode(client: Client, exec: string): Promise<number | null> {
  try {
    for (const pause of [0, 10, 20, 50, 100, 200, 400, 800]) {
      await delay(pause)
      const { Running, ExitCode } = await client.get(`${exec}/json`, execShape, { timeout: 5_000 })
      if (!Running && ExitCode !== null) return ExitCode
    }
  } catch {
    // The container was removed, or the engine is gone: nobody knows it any more.
  }
  return null
}

/** A terminal is there a moment after the answer that it is. */
async function resize(client: Client, path: string, columns: number, rows: number): Promise<void> {
  const query = { h: Math.max(1, Math.floor(rows)), w: Math.max(1, Math.floor(columns)) }
  for (const pause of [20, 50, 100, 200, 0]) {
    try {
      await client.send('POST', `${path}/resize`, nothing, { query, timeout: 10_000 })
      return
    } catch (error) {
      if (!(error instanceof EngineFault) || pause === 0) throw error
      await delay(pause)
    }
  }
}
