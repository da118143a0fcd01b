/**
 * Where a name is looked up. An engine says which image it means; where the engine's store lies on this machine and may
 * be read, the image is read from there, without an export. Without any engine the stores are asked themselves.
 */
import process from 'node:process'
import { isAbort } from '../base/errors.ts'
import { parsePlatform } from '../image/platform.ts'
import type { Reference } from '../image/reference.ts'
import { defaultCacheFolder } from '../source/index-cache.ts'
import type { StoreHint } from '../source/local-stores.ts'
import type { EngineResolver, OpenOptions } from '../source/open.ts'
import type { StoreKind, StoreOptions } from '../source/store-types.ts'
import { surroundings } from './surroundings.ts'

/** What `openImage` asks with. Nothing of engines or stores is loaded before a name has to be looked up. */
export const lookUp: EngineResolver = async (reference, options) => {
  const [{ engineResolver }, stores] = await Promise.all([
    import('../engine/resolve.ts'),
    import('../source/local-stores.ts'),
  ])
  const ask = () => engineResolver(surroundings(), { mayAsk: process.stdin.isTTY === true })(reference, options)
  const find = (hints: StoreHint[]) => stores.findLocalStores(surroundings(), hints)
  const common = storeOptions(reference, options)
  try {
    const [image, hints] = await Promise.all([ask(), hintsOf(reference, options)])
    if (!image || options.verify) return image
    const kept = await stores.openFromStores(image.id, { ...common, stores: find(hints), next: ask }).catch(() => null)
    if (!kept) return image
    await image.close()
    return { ...kept, names: image.names }
  } catch (error) {
    const name = 'name' in reference && typeof reference.name === 'object' ? reference.name : null
    if (isAbort(error) || options.signal?.aborted || name === null || wasAsked(options)) throw error
    const kept = await stores.openFromStores(name, { ...common, stores: find([]), kinds: kindsOf(reference, options) })
    if (!kept) throw error
    return kept
  }
}

function storeOptions({ text }: Reference, { platform, cache, cacheDir, signal }: OpenOptions): StoreOptions {
  return {
    reference: text,
    platform: (typeof platform === 'string' ? parsePlatform(platform) : platform) ?? null,
    cacheFolder: cache === false || cacheDir === null ? null : (cacheDir ?? defaultCacheFolder()),
    signal,
  }
}

/** Where the engines of this machine say that their stores lie. */
async function hintsOf(reference: Reference, options: OpenOptions): Promise<StoreHint[]> {
  const { findEngines } = await import('../engine/engine.ts')
  const engine = reference.kind === 'engine' ? reference.engine : options.engine
  const { engines } = await findEngines(surroundings(), { engine, context: options.context, signal: options.signal })
  const local = engines.filter(one => one.endpoint.address.kind === 'unix')
  try {
    const infos = await Promise.allSettled(local.map(one => one.info({ signal: options.signal })))
    return infos.flatMap((info, at) => {
      if (info.status === 'rejected' || info.value.root === null) return []
      const { root, driver, containerdStore } = info.value
      return [{ engine: local[at].kind, root, driver, containerdStore }]
    })
  } finally {
    for (const one of engines) one.close()
  }
}

/** Someone who names an engine wants that one, and no store that happens to lie here. */
function wasAsked({ context }: OpenOptions): boolean {
  return (
    context !== undefined ||
    Boolean(process.env.DOCKER_HOST || process.env.DOCKER_CONTEXT || process.env.CONTAINER_HOST)
  )
}

function kindsOf(reference: Reference, { engine }: OpenOptions): StoreKind[] | undefined {
  const wanted = reference.kind === 'engine' ? reference.engine : engine
  if (wanted === undefined) return undefined
  return wanted === 'podman' ? ['containers-storage'] : wanted === 'docker' ? ['docker-store', 'containerd-store'] : []
}
