/** The public JSON shapes, key by key: nothing missing, nothing more, absent is null. */
import { expect, test } from 'vitest'
import { z } from 'zod'
import { dockerArchive } from '../../harness/docker-archives.ts'
import type { ImageSpec } from '../../harness/images.ts'
import { workshop } from '../../harness/strata.ts'
import { tar } from '../../harness/tar.ts'

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/)
const text = z.string().nullable()
const bytes = z.number().int().min(0)
const layer = z.number().int().min(0)

const analysis = z.strictObject({
  schema: z.literal('strata.analysis/1'),
  image: z.strictObject({
    reference: z.string(),
    id: digest,
    digest: digest.nullable(),
    source: z.string(),
    platform: z.string(),
    created: text,
  }),
  bytes: z.strictObject({ stored: bytes, visible: bytes, wasted: bytes, compressed: bytes.nullable() }),
  efficiency: z.number().min(0).max(1),
  entries: z.strictObject({ stored: bytes, visible: bytes }),
  steps: z.array(
    z.strictObject({
      index: z.number().int().min(1),
      createdBy: text,
      created: text,
      comment: text,
      author: text,
      layer: layer.nullable(),
    }),
  ),
  layers: z.array(
    z.strictObject({
      index: layer,
      step: z.number().int().min(1),
      diffId: digest,
      chainId: digest,
      digest: digest.nullable(),
      mediaType: z.string(),
      compressed: bytes.nullable(),
      stored: bytes,
      adds: z.number().int(),
      entries: bytes,
      added: bytes,
      changed: bytes,
      deleted: bytes,
    }),
  ),
  waste: z.array(
    z.strictObject({
      path: z.string(),
      pathBase64: z.base64().optional(),
      bytes: z.number().int().min(1),
      storedIn: layer,
      lostIn: layer,
      cause: z.enum(['overwritten', 'deleted', 'opaque', 'replaced', 'shadowed']),
    }),
  ),
  advice: z.array(
    z.strictObject({ rule: z.string(), title: z.string(), bytes, layers: z.array(layer), fix: z.string() }),
  ),
  anomalies: z.array(
    z.strictObject({
      layer: layer.nullable(),
      path: text,
      pathBase64: z.base64().optional(),
      kind: z.string(),
      text: z.string(),
    }),
  ),
  dive: z.strictObject({ efficiency: z.number(), wastedBytes: bytes, userWastedPercent: z.number().nullable() }),
})

const row = z.strictObject({
  path: z.string(),
  pathBase64: z.base64().optional(),
  type: z.enum(['file', 'dir', 'symlink', 'hardlink', 'char', 'block', 'fifo']),
  size: bytes,
  mode: z.string().regex(/^0[0-7]{3,4}$/),
  uid: bytes,
  gid: bytes,
  mtime: z.number().nullable(),
  link: text,
  linkBase64: z.base64().optional(),
  xattrs: z.record(z.string(), z.base64()).nullable(),
  layer: layer.nullable(),
  change: z.enum(['A', 'C', 'D']).nullable(),
  reason: z
    .string()
    .regex(/^(content|mode|owner|time|link|xattr|type|device)(,\w+)*$/)
    .nullable(),
})

const images: Record<string, ImageSpec> = {
  'every kind of entry and of waste': {
    layers: [
      tar(
        'file a 10\nhard b -> a\nlink c -> a\ndir d\nfile d/e 5\nfifo f\nchar g 1,3\nblock h 8,0\nfile i/j 3 x:user.k=v\nfile k 1\nfile k 2',
      ),
      tar('opaque d\nfile c 3\nfile i 2\nfile a 10 0600\ngone k\ngone never'),
      tar('file %ff 4\nlink l -> %ff'),
      tar('gone %ff'),
    ],
    names: ['x:1'],
  },
  'no layers at all': { layers: [], history: [] },
  'no history': { layers: [tar('file a 1')], history: null },
  'a history that is longer than the layers': {
    layers: [tar('file a 1')],
    history: [{ created_by: 'a' }, { created_by: 'b' }, { created_by: 'c', empty_layer: true }],
  },
  'an empty layer': { layers: [tar(), tar('file a 0')] },
}

test.each(Object.keys(images))('analyze and tree of an image with %s', async name => {
  const { put, run } = workshop()
  put('x.tar', dockerArchive(images[name], 'docker-25'))
  const { stdout, stderr, code } = await run(['analyze', './x.tar', '--json'])
  expect([stderr, code]).toEqual(['', 0])
  const document = analysis.parse(JSON.parse(stdout))
  expect(document.bytes.stored - document.bytes.visible).toBe(document.bytes.wasted)
  expect(document.waste.reduce((sum, one) => sum + one.bytes, 0)).toBe(document.bytes.wasted)
  expect(document.layers.reduce((sum, one) => sum + one.stored, 0)).toBe(document.bytes.stored)
  expect(document.layers.reduce((sum, one) => sum + one.adds, 0)).toBe(document.bytes.visible)
  expect(document.layers.map(one => document.steps[one.step - 1].layer)).toEqual(document.layers.map(one => one.index))
  let listed = 0
  for (const { step, added, changed, deleted } of document.layers) {
    const tree = async (...flags: string[]) => {
      const lines = (await run(['tree', `./x.tar@${step}`, '--json', ...flags])).stdout.split('\n').filter(Boolean)
      return lines.map(line => row.parse(JSON.parse(line)))
    }
    const changes = await tree('--changes')
    const count = (letter: string) => changes.filter(one => one.change === letter).length
    expect([count('A'), count('C'), count('D')]).toEqual([added, changed, deleted])
    listed = (await tree()).length
  }
  expect(listed).toBe(document.entries.visible)
})
