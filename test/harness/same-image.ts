/** Two openings of one image, from different sources, have to be the same image. */
import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import { analyse, anomaliesOf, settleContents } from '../../src/cli/analysis.ts'
import { changes } from '../../src/layer/changes.ts'
import { Kind } from '../../src/layer/entry.ts'
import type { LayerIndex } from '../../src/layer/layer-index.ts'
import { pathOf } from '../../src/layer/path-tree.ts'
import type { Image } from '../../src/source/types.ts'
import { expectLedgerAddsUp } from './stacks.ts'

/** Config, steps, every column of every index, what each layer changes and why, the ledger, and all contents. */
export async function expectSameImage(one: Image, other: Image): Promise<void> {
  expect(facts(one)).toEqual(facts(other))
  const [a, b] = [await analyse(one), await analyse(other)]
  expect([a.broken, b.broken]).toEqual([[], []])
  for (const layer of one.layers.keys()) {
    expect(columns(a.stack.layers[layer]!), `layer ${layer}`).toEqual(columns(b.stack.layers[layer]!))
  }
  for (const analysis of [a, b]) {
    expectLedgerAddsUp(analysis.stack)
    for (const layer of one.layers.keys()) await settleContents(analysis, layer, layer)
  }
  for (const layer of one.layers.keys()) expect(told(a.stack, layer), `layer ${layer}`).toEqual(told(b.stack, layer))
  expect(a.stack.waste).toEqual(b.stack.waste)
  expect([...anomaliesOf(a)]).toEqual([...anomaliesOf(b)])
  for (const layer of one.layers.keys()) expect(await contents(one, layer)).toEqual(await contents(other, layer))
}

/** SHA-256 of every regular file of a layer, by path. */
export async function contents(image: Image, layer: number): Promise<Record<string, string>> {
  const index = await image.indexLayer(layer)
  const sums: Record<string, string> = {}
  for (const entry of files(index)) {
    const hash = createHash('sha256')
    for await (const chunk of image.readFile(layer, entry)) hash.update(chunk)
    sums[Buffer.from(pathOf(index, index.node[entry]!)).toString('latin1')] = hash.digest('hex')
  }
  return sums
}

/** Entry numbers of the regular files. */
export function files(index: LayerIndex): number[] {
  return Array.from(index.kind.keys()).filter(entry => index.kind[entry] === Kind.file)
}

function facts({ id, platform, config, rawConfig, steps, layers }: Image) {
  return {
    id,
    platform,
    config,
    rawConfig,
    steps: steps.map(step => ({ ...step, imageId: null })),
    layers: layers.map(({ index, diffId, chainId }) => ({ index, diffId, chainId })),
  }
}

/** All but hashes, of which each source has its own kind, and the diffID, which not every one computes. */
function columns({ crc: _, hashed: __, hashKind: ___, diffId: ____, ...rest }: LayerIndex) {
  return rest
}

function told(stack: Parameters<typeof changes>[0], layer: number) {
  const set = changes(stack, layer, layer)
  const lines = Array.from(set.nodes, node => {
    const path = Buffer.from(stack.tree.path(node)).toString('latin1')
    return `${set.letter(node)} ${path} ${set.reasons(node).join(' ')}`
  })
  return { counts: set.counts, lines: lines.sort() }
}
