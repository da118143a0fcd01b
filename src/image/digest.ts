/** Digests: what names content. And the chain ids that name a stack of layers. */
import { createHash } from 'node:crypto'
import { isDigest } from './is-digest.ts'
import type { Digest } from './types.ts'

export { isDigest }

/** The sha256 digest of some bytes, or of a text as UTF-8. */
export function digestOf(content: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`
}

/** The twelve hex digits that Docker shows for a digest; any other text comes back as it is. */
export function shortDigest(digest: Digest): string {
  return isDigest(digest) ? digest.slice(digest.indexOf(':') + 1).slice(0, 12) : digest
}

/**
 * The chain id of every stack 0..k, from the layers' diffIDs bottom first (OCI image-spec, config.md, "Layer ChainID"):
 * the first is the diffID itself, each further one the digest of `<chainID below> <diffID>`.
 */
export function chainIds(diffIds: readonly Digest[]): Digest[] {
  const chain: Digest[] = []
  for (const diffId of diffIds) chain.push(chain.length === 0 ? diffId : digestOf(`${chain.at(-1)} ${diffId}`))
  return chain
}
