/** The built-in sample: opened like any archive, the same every time, and its layers tell what its history says. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Stack } from '../../../src/layer/stack.ts'
import { openImage } from '../../../src/source/open.ts'
import { buildSample, sampleArchive } from '../../../src/source/sample.ts'
import { story } from '../../../src/source/sample-story.ts'
import { scratch } from '../../harness/scratch.ts'
import { ledgerText, treeText } from '../../harness/stacks.ts'

async function sample() {
  const folder = scratch().path
  const image = await openImage('sample', { cacheDir: folder })
  const stack = new Stack()
  for (const { index } of image.layers) stack.push(await image.indexLayer(index))
  await image.close()
  return { image, stack, folder }
}

describe('sample', () => {
  test('opens as an image of this machine, with a layer for each step that changes files', async () => {
    const { image } = await sample()
    expect([image.source, image.names, image.platform.os]).toEqual(['sample', ['sample:latest'], 'linux'])
    expect(image.steps.map(step => (step.layer === null ? '·' : step.layer)).join(' ')).toBe(
      '0 · · 1 2 3 4 5 6 7 8 · · · ·',
    )
    expect(image.anomalies).toEqual([])
  })

  test('where it can not be written, that is what is told', async () => {
    const file = scratch().put('file', new Uint8Array(1))
    await expect(sampleArchive(join(file, 'cache'))).rejects.toThrow(
      /^The sample can not be written into .*: a part of/,
    )
  })

  test('wastes bytes in each of the classic ways', async () => {
    const { stack } = await sample()
    const ledger = ledgerText(stack).split('\n')
    expect(ledger).toContain('700000 tmp/source.tar.gz, stored 4, lost 6, deleted')
    expect(ledger).toContain('620000 srv/app/public/app.js, stored 5, lost 7, overwritten')
    expect(ledger).toContain('400000 srv/app/cache/build.bin, stored 7, lost 8, opaque')
    expect(ledger.some(line => line.includes('tmp/deploy_key'))).toBe(true)
    expect(stack.visible / stack.stored).toBeLessThan(0.8)
    expect(stack.anomalies).toEqual([])
  })

  test('leaves package lists behind, a shell, and a folder that belongs to its user', async () => {
    const { stack } = await sample()
    const tree = treeText(stack)
    expect(tree).toMatch(/^var\/lib\/apt\/lists\/.*_Packages 1400000$/m)
    expect(tree).toMatch(/^bin\/sh /m)
    expect(tree).toMatch(/^srv\/app\/ 1000:1000$/m)
    expect(tree).toMatch(/^srv\/app\/cache\/ 1000:1000$/m)
  })

  test('is written once, whole or not at all, and the same every time', async () => {
    const folder = scratch().path
    const first = await sampleArchive(folder)
    const bytes = readFileSync(first)
    expect(await sampleArchive(folder)).toBe(first)
    expect(readdirSync(folder)).toHaveLength(1)
    expect(readFileSync(await sampleArchive(join(folder, 'else')))).toEqual(bytes)
  })

  test('is an image without a shell where the machine has none', async () => {
    const folder = scratch()
    const path = folder.put('sample.tar', await buildSample(story({ files: new Map(), links: new Map() })))
    const image = await openImage(path, { cache: false })
    expect(image.layers).toHaveLength(9)
    await image.close()
  })
})
