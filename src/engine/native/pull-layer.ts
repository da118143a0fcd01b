/** One layer of a pull: there already, or fetched into the store's folder of parts while a thread makes its digests. */
import { Fault } from '../../base/errors.ts'
import { shortDigest } from '../../image/digest.ts'
import type { Digest } from '../../image/types.ts'
import { blobBytes, blobPath } from '../../runtime/store/blobs.ts'
import type { StoreFolder, Workplace } from '../../runtime/store/folder.ts'
import type { KeptLayer } from '../../runtime/store/index.ts'
import { openPartial, type Partial } from '../../runtime/store/partial.ts'
import { onAbort } from '../../source/cancel.ts'
import type { CheckedBlob } from '../../source/check-blob.ts'
import type { Checker } from '../../source/checker.ts'
import type { Growth } from '../../source/growth.ts'
import { fetchBlob } from '../../source/registry/fetch-blob.ts'
import type { Registry, RegistryAccess } from '../../source/registry/types.ts'
import type { LayerToPull } from './pull.ts'

/** What happens to a layer; `there`: it was in the store already, `checking`: all of it has come. */
export type LayerPhase = 'waiting' | 'fetching' | 'again' | 'checking' | 'there' | 'done'

export interface PullInto {
  registry: Registry
  access: RegistryAccess
  folder: StoreFolder
  place: Workplace
  checker: Checker
  /** Compare diffIDs now, and not only when the layers are used. */
  whole: boolean
  /** Layers of the store's images, by the digest of their blob. */
  verified: ReadonlyMap<Digest, KeptLayer>
  progress?: ((layer: Digest, done: number, total: number | null, phase: LayerPhase) => void) | undefined
}

/** @throws Fault when it can not be had, or is not what the manifest says. */
export async function pullLayer(layer: LayerToPull, into: PullInto, signal: AbortSignal): Promise<KeptLayer> {
  const { folder, place, verified } = into
  const { digest, size } = layer
  const tell = (done: number, phase: LayerPhase) => into.progress?.(digest, done, size, phase)
  const known = verified.get(digest)
  if (known && blobBytes(folder, digest) === known.bytes) {
    // Of two images that say different things of it the blob itself tells which one lies.
    if (known.diffId !== layer.diffId) return await checkThere(layer, { ...into, whole: true }, signal, tell)
    tell(size, 'there')
    return known
  }
  const part = await openPartial(folder, digest, signal)
  try {
    // Another pull has brought it, and no image of it is there yet.
    if (blobBytes(folder, digest) === size) {
      part.discard()
      return await checkThere(layer, into, signal, tell)
    }
    const resumed = part.bytes > 0 && part.bytes <= size
    if (!resumed) part.empty()
    const first = await fetchAndCheck(layer, part, resumed ? part.bytes : 0, into, signal, tell).catch(error => {
      // What was left by another pull may be what is wrong.
      if (!resumed || signal.aborted || !(error instanceof NotItself)) throw error
      return null
    })
    if (first === null) part.empty()
    const checked = first ?? (await fetchAndCheck(layer, part, 0, into, signal, tell))
    await part.keep(place)
    tell(size, 'done')
    return keptOf(layer, checked)
  } catch (error) {
    if (error instanceof NotItself) part.discard()
    throw error
  } finally {
    part.close()
  }
}

/** What has come is not what was promised: there is no going on with it. */
class NotItself extends Fault {}

type Tell = (done: number, phase: LayerPhase) => void

async function fetchAndCheck(
  { digest, size }: LayerToPull,
  part: Partial,
  from: number,
  { registry, access, checker, whole }: PullInto,
  signal: AbortSignal,
  tell: Tell,
): Promise<CheckedBlob> {
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  const name = `the layer ${shortDigest(digest)}`
  const { growth, checked } = checker.check({ name, fd: part.fd, whole })
  growth.grow(from)
  let found: { why: unknown } | null = null
  checked.catch(why => {
    found ??= { why }
    stop.abort()
  })
  tell(from, 'fetching')
  try {
    await fetchBlob(registry, {
      digest,
      size,
      to: part.fd,
      from,
      limits: access.limits,
      signal: either,
      onBytes(done) {
        growth.grow(done)
        tell(done, 'fetching')
      },
      onRetry(why) {
        access.tell?.(why)
        tell(0, 'again')
      },
    })
    growth.end(true)
    tell(size, 'checking')
  } catch (error) {
    // What the thread found may be why the rest was not fetched.
    const because = signal.aborted ? null : (found as { why: unknown } | null)
    growth.end(false)
    await Promise.allSettled([checked])
    throw because ? broken(because.why) : error
  }
  const made = await orGivenUp(checked, growth, signal).catch(error => {
    throw signal.aborted ? error : broken(error)
  })
  if (made.digest === digest) return made
  throw new NotItself(`The blob ${digest} does not have its digest: what came has ${made.digest}.`)
}

/** What the thread finds, unless nobody wants to know any more. */
async function orGivenUp(checked: Promise<CheckedBlob>, growth: Growth, signal: AbortSignal): Promise<CheckedBlob> {
  const listening = onAbort(signal, () => growth.end(false))
  return checked.finally(() => listening.dispose())
}

function broken(error: unknown): unknown {
  return error instanceof Fault && error.exitCode !== 130 ? new NotItself(error.message, { cause: error }) : error
}

/** A blob that no image of the store speaks of: its digests are made from the file. */
async function checkThere(
  layer: LayerToPull,
  { folder, checker, whole }: PullInto,
  signal: AbortSignal,
  tell: Tell,
): Promise<KeptLayer> {
  const { closeSync, openSync } = await import('node:fs')
  const fd = openSync(blobPath(folder, layer.digest), 'r')
  tell(layer.size, 'checking')
  try {
    const name = `the layer ${shortDigest(layer.digest)}`
    const { growth, checked: checking } = checker.check({ name, fd, whole })
    growth.grow(layer.size)
    growth.end(true)
    const checked = await orGivenUp(checking, growth, signal)
    if (checked.digest !== layer.digest)
      throw new Fault(`A blob of the store is damaged: ${layer.digest} has become ${checked.digest}.`, {
        hint: '`strata prune` takes it away; then pull again.',
      })
    tell(layer.size, 'there')
    return keptOf(layer, checked)
  } finally {
    closeSync(fd)
  }
}

function keptOf({ digest, mediaType, diffId }: LayerToPull, { diffId: made, bytes, tarBytes }: CheckedBlob): KeptLayer {
  return { digest, diffId: made ?? diffId, bytes, tarBytes, mediaType }
}
