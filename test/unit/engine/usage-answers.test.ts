/** What engines answer about their disk, sane and hostile, put together into one record. */
import { describe, expect, test } from 'vitest'
import { assemble, type Look } from '../../../src/engine/daemon-usage.ts'
import type { EngineHistoryRow, EngineImage } from '../../../src/engine/engine.ts'
import { layerSizes } from '../../../src/engine/layer-sizes.ts'
import { diskShape, volumeNamesShape } from '../../../src/engine/usage-shapes.ts'
import { container } from '../../harness/fake-containers.ts'

const row = (createdBy: string, size: number): EngineHistoryRow => ({
  imageId: null,
  created: null,
  createdBy,
  size,
  comment: null,
})
const sizes = (rows: EngineHistoryRow[], count: number) => layerSizes(rows, count).map(one => one.bytes)

describe('the sizes of layers, from a history', () => {
  test('are those of the rows that own one', () => {
    expect(sizes([row('ADD x', 5), row('ENV a=b', 0), row('RUN y', 3)], 2)).toEqual([5, 3])
  })

  test('are known where empty layers can only stand in one place', () => {
    expect(sizes([row('ADD x', 5), row('RUN rm', 0), row('RUN rm', 0), row('RUN y', 3)], 4)).toEqual([5, 0, 0, 3])
  })

  test('are not known where an empty layer may stand on either side', () => {
    expect(sizes([row('/bin/sh -c a', 0), row('/bin/sh -c b', 5), row('/bin/sh -c c', 0)], 2)).toEqual([null, null])
  })

  test('are known where only the owner of an empty layer is open', () => {
    expect(sizes([row('ADD x', 5), row('/bin/sh -c b', 0), row('/bin/sh -c c', 0)], 2)).toEqual([5, 0])
  })

  test('rows that can not own a layer leave nothing open', () => {
    const [env, run] = [row('/bin/sh -c #(nop)  ENV a=b', 0), row('/bin/sh -c rm x', 0)]
    expect(sizes([row('ADD x', 5), env, row('/bin/sh -c b', 3), run, run], 3)).toEqual([5, 3, 0])
  })

  test('are none without a history', () => {
    expect(sizes([], 2)).toEqual([null, null])
  })
})

describe('system/df', () => {
  test('of Docker', () => {
    const disk = diskShape.parse({
      LayersSize: 10,
      Containers: [{ Id: 'c1', SizeRw: 7 }, { Id: 'c2' }],
      Volumes: [
        { Name: 'data', Driver: 'local', CreatedAt: '2026-01-01T00:00:00Z', UsageData: { RefCount: 1, Size: 3 } },
        { Name: 'f'.repeat(64), Labels: null, UsageData: { RefCount: 0, Size: -1 } },
        { Name: 'nfs', Driver: 'nfs', Labels: { 'com.docker.volume.anonymous': '' }, UsageData: null },
      ],
      BuildCache: [{ ID: 'b1', Parent: 'b0', Type: 'regular', Size: 4, Shared: true, InUse: false }],
    })
    expect(disk.layerBytes).toBe(10)
    expect([...disk.upperBytes]).toEqual([
      ['c1', 7],
      ['c2', 0],
    ])
    expect(disk.volumes.map(one => [one.bytes, one.anonymous, one.references])).toEqual([
      [3, false, 1],
      [null, true, 0],
      [null, true, 0],
    ])
    expect(disk.cache).toMatchObject([{ id: 'b1', parents: ['b0'], bytes: 4, shared: true }])
  })

  test.each([
    [{}],
    [{ LayersSize: -5, Containers: null, Volumes: 'x', BuildCache: [null, 7, { ID: '' }] }],
    [{ LayersSize: Number.MAX_VALUE, Volumes: [{ Name: 7 }, 'x'], Containers: {} }],
  ])('a hostile one is an empty one: %j', answer => {
    const { layerBytes, volumes, cache, upperBytes } = diskShape.parse(answer)
    expect([layerBytes, volumes, cache, upperBytes.size]).toEqual([null, [], [], 0])
  })

  test('a list of volumes that is none', () => {
    expect(volumeNamesShape.parse({ Volumes: null })).toEqual([])
  })
})

describe('one record of all answers', () => {
  const image = (id: string, names: string[], size: number): EngineImage => ({
    ...{ id, names, size, digests: [], parent: null, created: null, shared: null, containers: null, labels: {} },
  })
  const look = (...layers: [string, number | null][]): Look => ({
    chain: layers.map(([id]) => id),
    diffIds: layers.map(([id]) => id),
    sizes: layers.map(([id, bytes]) => ({ bytes, createdBy: `RUN /bin/sh -c make ${id} # buildkit` })),
  })
  const answers = {
    layerBytes: null,
    cache: [],
    upperBytes: new Map<string, number>(),
    volumes: [],
    images: [] as EngineImage[],
    containers: [],
    looks: new Map<string, Look>(),
    logOf: () => null,
  }

  test('every layer is there once, with who needs it; a size that one history leaves open another may tell', () => {
    const usage = assemble({
      ...answers,
      images: [image('a', ['a:1'], 5), image('b', [], 8)],
      containers: [container('box', { imageId: 'b' })],
      looks: new Map([
        ['a', look(['base', null])],
        ['b', look(['base', 5], ['top', 3])],
      ]),
    })
    expect(usage.layers.map(one => [one.id, one.bytes, one.images, one.containers.length])).toEqual([
      ['base', 5, ['a', 'b'], 1],
      ['top', 3, ['b'], 1],
    ])
  })

  test('layers of a container whose image is gone from the list are there too', () => {
    const usage = assemble({
      ...answers,
      containers: [container('box', { imageId: 'gone' })],
      looks: new Map([['gone', look(['base', 5])]]),
    })
    expect(usage.layers).toMatchObject([{ id: 'base', images: [], containers: [expect.any(String)] }])
  })

  test('an image that could not be looked at is told of', () => {
    const usage = assemble({ ...answers, images: [image('a', ['a:1'], 5)] })
    expect(usage.unknown).toEqual(['The layers of 1 image are not told.'])
  })

  test('an entry of the build cache is the layer that is as large or made by the same command', () => {
    const entry = { parents: [], type: 'regular', inUse: false, shared: true, lastUsed: null }
    const usage = assemble({
      ...answers,
      images: [image('a', ['a:1'], 8)],
      looks: new Map([['a', look(['base', 5], ['top', 3])]]),
      cache: [
        { ...entry, id: 'by-size', description: 'x', bytes: 5 },
        { ...entry, id: 'by-command', description: '[2/2] RUN make top', bytes: 99 },
        { ...entry, id: 'not-shared', description: 'x', bytes: 3, shared: false },
      ],
    })
    expect(usage.layers.map(one => one.cache)).toEqual([['by-size'], ['by-command']])
  })

  test('containerd’s store keeps compressed layers too: known of who shares nothing, else not', () => {
    const usage = assemble({
      ...answers,
      images: [image('a', ['a:1'], 2_000_000), image('b', ['b:1'], 2_000_000), image('c', ['c:1'], 1_500_000)],
      looks: new Map([
        ['a', look(['base', 1_000_000])],
        ['b', look(['base', 1_000_000])],
        ['c', look(['own', 1_000_000])],
      ]),
    })
    expect(usage.layers.filter(one => one.kind === 'blob').map(one => [one.id, one.bytes])).toEqual([
      ['blob a', null],
      ['blob b', null],
      ['blob c', 500_000],
    ])
  })

  test('a volume that the engine counts more users of than it names is busy', () => {
    const volume = { name: 'data', driver: 'local', anonymous: false, bytes: 1, references: 1, created: null }
    expect(assemble({ ...answers, volumes: [volume] }).volumes).toMatchObject([{ users: [], busy: true }])
  })
})
