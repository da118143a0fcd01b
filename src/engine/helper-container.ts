/**
 * A container that is created and never started, with folders of the engine's machine bound read-only, so that they can
 * be read through the engine's socket. It carries a label, is removed as soon as it has served, and what a killed run
 * left behind is removed by the next one. This is the one place where Strata changes something on an engine to read an
 * image, and it is only used when the person has asked for it.
 */
import type { Readable } from 'node:stream'
import * as z from 'zod'
import { Fault } from '../base/errors.ts'
import type { Client } from './client.ts'

export interface Mount {
  /** On the engine's machine; when it is not there the engine refuses, and makes nothing. */
  source: string
  /** In the container: below `/.strata`. */
  target: string
}

export interface Helper {
  /** What lies at a path in the container, as a tar: a file or a folder with all that is in it. */
  archive(path: string, signal?: AbortSignal): Promise<Readable>
  /** Removes the container, whatever became of it. Never throws: what stays is swept by the next run. */
  remove(): Promise<void>
}

const LABEL = 'strata.helper'

/** @throws Fault when the engine refuses: it may not be allowed, or a source is not there. */
export async function createHelper(
  client: Client,
  image: string,
  mounts: readonly Mount[],
  signal?: AbortSignal,
): Promise<Helper> {
  const body = {
    Image: image,
    // Never run; an image without a command would otherwise be refused.
    Cmd: ['strata-helper'],
    NetworkDisabled: true,
    Labels: { [LABEL]: String(Date.now()) },
    HostConfig: {
      NetworkMode: 'none',
      Mounts: mounts.map(({ source, target }) => ({ Type: 'bind', Source: source, Target: target, ReadOnly: true })),
    },
  }
  // Without the caller's signal: a call that is broken off may have made a container that nobody knows of.
  const { Id: id } = await client.send('POST', '/containers/create', created, { body, timeout: 60_000 })
  if (signal?.aborted) {
    await removed(client, id)
    throw new Fault('Cancelled.', { exitCode: 130 })
  }
  return {
    archive: (path, signal) => client.stream(`/containers/${id}/archive`, { query: { path }, signal }),
    remove: () => removed(client, id),
  }
}

/** What the ids of containers look like; anything else never gets into a path. */
const containerId = z.string().regex(/^[0-9a-f]{12,64}$/)
const created = z.object({ Id: containerId })
const labels = z
  .record(z.string(), z.string())
  .nullish()
  .transform(value => value ?? {})
const listed = z.array(z.object({ Id: containerId, State: z.string(), Labels: labels }))

/** Longer than any helper is needed for, milliseconds. */
const OLD = 120_000

/** Removes what runs that were killed have left behind; those of runs that go on are left alone. Never throws. */
export async function sweepHelpers(client: Client): Promise<void> {
  const query = { all: true, filters: JSON.stringify({ label: [LABEL] }) }
  const left = await client.get('/containers/json', listed, { query }).catch(() => [])
  await Promise.all(
    left
      .filter(one => one.State === 'created' && Date.now() - Number(one.Labels[LABEL]) > OLD)
      .map(one => removed(client, one.Id)),
  )
}

async function removed(client: Client, id: string): Promise<void> {
  const query = { force: true, v: true }
  await client.send('DELETE', `/containers/${id}`, z.unknown(), { query, timeout: 10_000 }).catch(() => {})
}
