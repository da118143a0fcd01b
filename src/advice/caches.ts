/** Package lists and caches that are still visible in the finished image. */
import { formatBytes } from '../base/sizes.ts'
import type { Advice } from './advise.ts'
import { type CacheKind, cacheKinds } from './cache-table.ts'
import { type Context, instructionOf, type Sum, stepName, stepsOfLayers } from './context.ts'
import { findPlaces, sumBelow } from './places.ts'

/** One advice for each kind of cache, with the exact words for the step that fills it. */
export function cacheAdvice(context: Context): Advice[] {
  const found = findPlaces(
    context,
    cacheKinds.flatMap(kind => kind.places),
  )
  return cacheKinds.flatMap(kind => {
    const roots = kind.places.flatMap(place => found.get(place) ?? [])
    if (roots.length === 0) return []
    const sum = sumBelow(context, roots)
    if (sum.bytes === 0) return []
    return {
      rule: kind.rule,
      title: `${kind.what} ${isPlural(kind.what) ? 'are' : 'is'} left in the image: ${formatBytes(sum.bytes)} from ${sources(context, sum)}.`,
      bytes: sum.bytes,
      layers: sum.layers(),
      fix: fixOf(context, kind, sum),
      steps: stepsOfLayers(context, sum.layers()),
      paths: sum.paths(context),
      files: sum.files,
    }
  })
}

function isPlural(what: string): boolean {
  return !what.startsWith('The ')
}

function sources(context: Context, sum: Sum): string {
  const layers = sum.layers()
  if (layers.length > 3) return `${layers.length} steps`
  return layers.map(layer => stepName(context, layer)).join(' and ')
}

function fixOf(context: Context, kind: CacheKind, sum: Sum): string {
  const layer = sum.mainLayer()
  const step = stepName(context, layer)
  const mount = `RUN ${kind.mounts.map(target => `--mount=type=cache,target=${target}`).join(' ')} …`
  if (instructionOf(context, layer).keyword === 'COPY') return 'Name it in .dockerignore, or copy only what is needed.'
  if (layer < context.baseLayers) return `It comes with the base image; in the base’s own Dockerfile: ${kind.clean}`
  const clean = kind.clean.startsWith('&&') ? `Append to ${step}: ${kind.clean}` : `In ${step}: ${kind.clean}`
  return `${clean}   or keep it out of the layer: ${mount}`
}
