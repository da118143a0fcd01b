/** Removes exactly what is named from Docker or Podman, without force: what is in use by now stays, and says why. */
import * as z from 'zod'
import { reasonOf } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import type { Digest } from '../image/types.ts'
import type { Client } from './client.ts'
import { EngineFault } from './fault.ts'
import { imageFactsShape } from './shapes.ts'
import type { Piece } from './usage.ts'
import { cachePrunedShape } from './usage-shapes.ts'

/** One after the other; null: it is gone, else why it stayed. */
export async function removePieces(
  client: Client,
  pieces: readonly Piece[],
  signal: AbortSignal | undefined,
): Promise<(string | null)[]> {
  const reasons: (string | null)[] = []
  const entries = pieces.flatMap(one => (one.kind === 'cache' ? [one.id] : []))
  let pruned: Set<string> | null = null
  for (const piece of pieces) {
    signal?.throwIfAborted()
    if (piece.kind === 'cache') {
      pruned ??= await pruneCache(client, entries, signal)
      reasons.push(pruned.has(piece.id) ? null : 'the builder keeps it')
    } else reasons.push(await removed(() => removePiece(client, piece, signal), signal))
  }
  return reasons
}

const nothing = z.unknown()

async function removePiece(client: Client, piece: Piece, signal: AbortSignal | undefined): Promise<void> {
  const remove = (path: string, query: Record<string, number> = {}) =>
    client.send('DELETE', path, nothing, { query, signal, timeout: Number.POSITIVE_INFINITY })
  if (piece.kind === 'container') await remove(`/containers/${pathOf(piece.id)}`, { force: 0, v: 0 })
  else if (piece.kind === 'volume') await remove(`/volumes/${pathOf(piece.id)}`)
  else if (piece.kind === 'image') await removeImage(client, piece, remove, signal)
  else throw new Error('the engine has no such thing')
}

/** Name by name, the image with its last one: what has got another name meanwhile keeps it, and the image. */
async function removeImage(
  client: Client,
  { id, names }: Extract<Piece, { kind: 'image' }>,
  remove: (path: string, query: Record<string, number>) => Promise<unknown>,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const name of names) {
    const path = `/images/${pathOf(name)}`
    const named = await client.get(`${path}/json`, imageFactsShape, { signal }).catch(gone)
    if (named === null) continue
    if (named.id !== id) throw new Error(`${safe(name)} is another image by now`)
    await remove(path, { force: 0, noprune: 0 })
  }
  const left = await client.get(`/images/${pathOf(id)}/json`, imageFactsShape, { signal }).catch(gone)
  if (left === null) return
  if (left.names.length > 0) throw new Error(`it is called ${safe(left.names[0])} by now`)
  try {
    await remove(`/images/${pathOf(id)}`, { force: 0, noprune: 0 })
  } catch (error) {
    // Other images were built on it: without a name it is one of their steps, and goes with the last of them.
    if (names.length === 0 || !(error instanceof EngineFault) || error.status !== 409) throw error
  }
}

/** The builder is asked for all at once: what stands on another entry goes before it. */
async function pruneCache(
  client: Client,
  ids: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Set<string>> {
  const gone = new Set<string>()
  const own = ids.filter(id => /^[a-z0-9]{1,64}$/.test(id))
  for (let at = 0; at < own.length; at += 100) {
    const filters = JSON.stringify({ id: [`^(${own.slice(at, at + 100).join('|')})$`] })
    const call = { query: { all: 1, filters }, signal, timeout: Number.POSITIVE_INFINITY }
    for (const id of await client.send('POST', '/build/prune', cachePrunedShape, call)) gone.add(id)
  }
  return gone
}

async function removed(act: () => Promise<void>, signal: AbortSignal | undefined): Promise<string | null> {
  try {
    await act()
    return null
  } catch (error) {
    if (signal?.aborted) throw error
    if (error instanceof EngineFault && error.status === 404) return null
    return reasonOf(error)
      .replace(/^The engine refused: /, '')
      .replace(/\.$/, '')
  }
}

function gone(error: unknown): null {
  if (error instanceof EngineFault && error.status === 404) return null
  throw error
}

/** Only what names and ids are made of, so that none leads to another call. */
function pathOf(name: string | Digest): string {
  const parts = name.split('/')
  if (/^[\w.:@/[\]+-]{1,4096}$/.test(name) && !parts.some(part => part === '' || part === '.' || part === '..'))
    return encodeURI(name)
  throw new Error('that is no name that could be sent')
}
