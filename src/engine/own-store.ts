/**
 * An image of an engine of this machine, read from the engine's own store where that may be read: no export is needed
 * then. The engine says which image is meant; the store is asked for its id, which names content, so that a store of
 * another engine that lies at the same path can not answer for it.
 */
import {
  findLocalStores,
  type OpenFromStores,
  openFromStores,
  type StoreHint,
  type StoreSurroundings,
} from '../source/local-stores.ts'
import type { StoreOptions } from '../source/store-types.ts'
import type { Image } from '../source/types.ts'
import type { Engine, ImageFacts } from './engine.ts'

/** null when the engine is on another machine, or its store can not be read, or has no such image. */
export async function openFromOwnStore(
  engine: Engine,
  facts: ImageFacts,
  around: StoreSurroundings,
  options: Omit<OpenFromStores, 'stores'>,
): Promise<Image | null> {
  if (engine.endpoint.address.kind !== 'unix') return null
  const hint = hintOf(engine, facts) ?? (await askedHint(engine, options))
  if (hint === null) return null
  const stores = findLocalStores(around, [hint]).filter(one => one.root.startsWith(hint.root))
  return openFromStores(facts.id, { ...options, stores })
}

/** From the directory of the topmost layer: `ROOT/overlay2/ID/diff` of Docker, `ROOT/overlay/ID/diff` of Podman. */
function hintOf({ kind }: Engine, { driver, topDirectory }: ImageFacts): StoreHint | null {
  const found = /^(\/.*)\/(overlay2|overlay)\/[^/]+\/diff$/.exec(topDirectory ?? '')
  if (!found || found[2] !== driver) return null
  return { engine: kind, root: found[1], driver, containerdStore: false }
}

async function askedHint(engine: Engine, { signal }: StoreOptions): Promise<StoreHint | null> {
  const info = await engine.info({ signal }).catch(() => null)
  if (!info?.root) return null
  const { root, driver, containerdStore } = info
  return { engine: engine.kind, root, driver: driver || null, containerdStore }
}
