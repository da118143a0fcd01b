/** Which image another one was built on. */
import type { Digest, Step } from './types.ts'

/** How many layers two images share, counted from the bottom. */
export function sharedLayers(a: readonly Digest[], b: readonly Digest[]): number {
  let shared = 0
  while (shared < a.length && shared < b.length && a[shared] === b[shared]) shared++
  return shared
}

/** Whether all layers of one image are the lowest layers of another that has more. An image without layers is no base. */
export function isBaseOf(base: readonly Digest[], image: readonly Digest[]): boolean {
  return base.length > 0 && base.length < image.length && sharedLayers(base, image) === base.length
}

/** Of the candidates the one with the most layers that the image was built on; null when it was built on none of them. */
export function nearestBase<T extends { diffIds: readonly Digest[] }>(
  image: readonly Digest[],
  candidates: Iterable<T>,
): T | null {
  let nearest: T | null = null
  for (const candidate of candidates) {
    if (isBaseOf(candidate.diffIds, image) && candidate.diffIds.length > (nearest?.diffIds.length ?? 0))
      nearest = candidate
  }
  return nearest
}

/**
 * How many of the steps belong to the base image, guessed from the history alone: a base ends with its CMD or
 * ENTRYPOINT, and steps with layers follow. 0 when nothing hints at a base. The base's own base counts as part of it.
 */
export function guessBaseSteps(steps: readonly Step[]): number {
  const lastLayer = steps.findLastIndex(step => step.layer !== null)
  for (let at = lastLayer; at >= 0; at--) {
    if (endsImage.test(steps[at].createdBy ?? '')) return at + 1
  }
  return 0
}

const endsImage = /^(?:(?:\S.{0,200} )?#\(nop\)\s+)?(?:CMD|ENTRYPOINT)\s/
