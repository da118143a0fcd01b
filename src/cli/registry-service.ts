/** What the screens reach registries through, on this machine. */
import type { ImageRow } from '../actions/image-list.ts'
import type { Offer, RegistryService } from '../actions/registry-service.ts'
import { pullImage } from '../engine/native/pull.ts'
import { type ImageName, parseImageName } from '../image/image-name.ts'
import { parsePlatform } from '../image/platform.ts'
import { shownName } from '../runtime/store/names.ts'
import { openImage } from '../source/open.ts'
import { openRegistry } from '../source/registry/client.ts'
import type { Image } from '../source/types.ts'
import { ownPlaces } from './containers/places.ts'
import type { Options } from './program.ts'
import { accessOf, registryNameOf, toProgress } from './store/registry.ts'
import { openOptions } from './target.ts'

/** Tags are looked for this long, milliseconds, and so many are offered. */
const PATIENCE = 3000
const MOST = 200

/** `rows`: the images that the list knows, for their names. */
export function createRegistryService(options: Options, rows: () => Promise<readonly ImageRow[]>): RegistryService {
  return {
    async complete(text) {
      const typed = text.replace(/^docker:\/\//, '')
      const colon = typed.lastIndexOf(':')
      const tagged = colon > typed.lastIndexOf('/') ? await tagsOf(typed.slice(0, colon), options) : []
      const own = (await rows().catch(() => [])).flatMap(({ repository, tag }) => {
        if (repository === null) return []
        return [`${repository}:${tag ?? 'latest'}`, `${repository}:`]
      })
      const before = typed.slice(0, colon + 1)
      const names = tagged.length > 0 ? tagged.map(tag => before + tag) : own
      return [...new Set(names)].filter(name => name.startsWith(typed)).slice(0, MOST)
    },
    async offer(name, signal) {
      const { text } = registryNameOf(name)
      const reference = `docker://${text}`
      const image = await openImage(reference, { ...openOptions(options), signal })
      try {
        return offerOf(reference, image)
      } finally {
        await image.close()
      }
    },
    async pull(name, { signal, progress }) {
      const platform = options.platform === undefined ? null : parsePlatform(String(options.platform))
      const pulled = await pullImage(registryNameOf(name), {
        places: ownPlaces(),
        access: accessOf(options),
        platform,
        signal,
        progress: toProgress(progress),
      })
      return { key: `native ${pulled.id} ${shownName(pulled.name)}` }
    },
  }
}

function offerOf(reference: string, image: Image): Offer {
  const { far, layers } = image
  const size = (layer: number) => layers[layer]!.compressed ?? layers[layer]!.roughBytes ?? 0
  const numbers = layers.map(layer => layer.index)
  const here = far?.here() ?? []
  const missing = numbers.filter(layer => here[layer] !== 'native')
  const engine = here.find(place => place === 'docker' || place === 'podman')
  const sum = (of: readonly number[], bytes: (layer: number) => number) =>
    of.reduce((sum, layer) => sum + bytes(layer), 0)
  const costs = numbers.map(layer => far?.cost(layer) ?? 0)
  return {
    reference,
    name: image.names[0] ?? reference,
    layers: layers.length,
    bytes: sum(numbers, size),
    pull: { layers: missing.length, bytes: sum(missing, size) },
    look: {
      bytes: sum(numbers, layer => costs[layer]!),
      whole: numbers.filter(layer => costs[layer]! > 0 && far?.toc(layer) === null).length,
    },
    elsewhere: engine ? { engine, layers: here.filter(place => place === engine).length } : null,
  }
}

/** Tags of a repository as far as they come in time; none where it can not be asked. */
async function tagsOf(repository: string, options: Options): Promise<string[]> {
  const tags: string[] = []
  let name: ImageName
  try {
    name = parseImageName(repository)
  } catch {
    return tags
  }
  if (name.repository === null || name.tag !== null) return tags
  const signal = AbortSignal.timeout(PATIENCE)
  const registry = openRegistry(name, { access: accessOf(options), signal })
  try {
    for await (const tag of registry.tags(signal)) {
      tags.push(tag)
      if (tags.length >= MOST * 10) break
    }
  } catch {
    // What came until then is better than nothing.
  } finally {
    registry.close()
  }
  return tags
}
