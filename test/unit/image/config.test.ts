import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { guessBaseSteps, isBaseOf, nearestBase, sharedLayers } from '../../../src/image/bases.ts'
import { historyOfV1, parseConfig } from '../../../src/image/config.ts'
import { chainIds, digestOf, isDigest } from '../../../src/image/digest.ts'
import { stepAnomalies, stepsOf } from '../../../src/image/steps.ts'

const diffId = digestOf('layer')

describe('a config is read leniently', () => {
  test('in Docker’s spelling', () => {
    const { config, anomalies } = parseConfig({
      architecture: 'amd64',
      os: 'linux',
      created: '2026-01-01T00:00:00Z',
      config: {
        Env: ['A=b'],
        Cmd: ['sh'],
        Entrypoint: null,
        WorkingDir: '/x',
        ExposedPorts: { '80/tcp': {} },
        Volumes: { '/data': {} },
        Labels: { a: 'b' },
        Healthcheck: { Test: ['NONE'], Interval: 1000 },
        OnBuild: null,
      },
      rootfs: { type: 'layers', diff_ids: [diffId] },
      history: [{ created_by: 'X', empty_layer: true }, { created_by: 'Y' }],
    })
    expect(anomalies).toEqual([])
    expect(config).toMatchObject({
      platform: { os: 'linux', architecture: 'amd64', variant: null },
      run: {
        env: ['A=b'],
        cmd: ['sh'],
        entrypoint: null,
        workingDir: '/x',
        exposedPorts: ['80/tcp'],
        volumes: ['/data'],
      },
      diffIds: [diffId],
      history: [
        { createdBy: 'X', emptyLayer: true },
        { createdBy: 'Y', emptyLayer: false },
      ],
    })
    expect(config.run.healthcheck).toMatchObject({ test: ['NONE'], interval: 1000, retries: 0 })
  })

  test('field names in any case, as Go reads them', () => {
    const { config } = parseConfig({ OS: 'linux', Config: { env: ['A=b'] }, RootFS: { Diff_IDs: [diffId] } })
    expect([config.run.env, config.diffIds]).toEqual([['A=b'], [diffId]])
  })

  test('wrong types in single fields are told and left out', () => {
    const { config, anomalies } = parseConfig({
      os: 7,
      config: { Env: [1, 'A=b', null], Cmd: 'sh', User: {}, Labels: { n: 3, ok: 'yes' }, Healthcheck: { Retries: -1 } },
      rootfs: { diff_ids: ['nonsense', diffId] },
      history: [null, 'x', { created_by: 5, empty_layer: 'yes' }],
    })
    expect(config.platform).toEqual({ os: 'linux', architecture: 'unknown', variant: null })
    expect(config.run).toMatchObject({ env: ['A=b'], cmd: ['sh'], user: '' })
    expect({ ...config.run.labels }).toEqual({ n: '', ok: 'yes' })
    expect(config.diffIds).toEqual(['', diffId])
    expect(config.history).toHaveLength(3)
    expect(anomalies).toEqual([
      "The config's os is a number; it is left out.",
      "The config's Env[0] is a number; it is left out.",
      "The config's User is an object; it is left out.",
      "The config's Labels.n is a number; it is left out.",
      "The config's Healthcheck.Retries is an impossible number; it is left out.",
      'The diffID of layer 0 is no digest.',
      "The config's history[1] is a text; it is left out.",
      "The config's history[2].created_by is a number; it is left out.",
      "The config's history[2].empty_layer is a text; it is left out.",
    ])
  })

  test.each([[null], [[]], ['text'], [7], [undefined]])('%j is no config', json => {
    expect(() => parseConfig(json)).toThrow('no JSON object')
  })

  test('a label named __proto__ is a label and pollutes nothing', () => {
    const { config } = parseConfig(JSON.parse('{"config":{"Labels":{"__proto__":"x","constructor":"y"}},"rootfs":{}}'))
    expect(Object.entries(config.run.labels)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ])
    expect(({} as Record<string, unknown>).x).toBeUndefined()
    expect(Object.getPrototypeOf({})).toBe(Object.prototype)
  })

  test('sizes are bounded and the cut is told', () => {
    const long = 'x'.repeat((1 << 20) + 1)
    const { config, anomalies } = parseConfig({
      config: { User: long, Env: new Array(10_001).fill('A=b') },
      rootfs: { diff_ids: [] },
      history: new Array(100_001).fill({}),
    })
    expect(config.run.user).toHaveLength(1 << 20)
    expect(config.run.env).toHaveLength(10_000)
    expect(config.history).toHaveLength(100_000)
    expect(anomalies).toHaveLength(3)
  })

  test('the list of anomalies is bounded too', () => {
    expect(parseConfig({ rootfs: {}, history: new Array(5000).fill(1) }).anomalies.length).toBeLessThanOrEqual(101)
  })

  test('any JSON object is read', () => {
    fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), json => void parseConfig(json)))
    const field = fc.constantFrom(
      'os',
      'config',
      'rootfs',
      'history',
      'Env',
      'Labels',
      'Healthcheck',
      'diff_ids',
      'Test',
    )
    const tree = fc.letrec(tie => ({
      node: fc.oneof({ maxDepth: 4 }, fc.jsonValue(), fc.array(tie('node')), fc.dictionary(field, tie('node'))),
    }))
    fc.assert(fc.property(fc.dictionary(field, tree.node), json => void parseConfig(json)))
  })

  test('a v1 layer description as a history line', () => {
    expect(
      historyOfV1({ created: 'then', container_config: { Cmd: ['/bin/sh', '-c', 'make'] }, throwaway: true }),
    ).toEqual({
      created: 'then',
      createdBy: '/bin/sh -c make',
      comment: null,
      author: null,
      emptyLayer: true,
    })
    expect(historyOfV1(null).createdBy).toBeNull()
  })
})

describe('steps and layers', () => {
  const history = (marks: string) =>
    [...marks].map(mark => ({ created: null, createdBy: mark, comment: null, author: null, emptyLayer: mark === '.' }))
  const layersOf = (marks: string, count: number) => stepsOf(history(marks), count).map(step => step.layer)

  test.each([
    ['L.L..L', 3, [0, null, 1, null, null, 2]],
    ['', 2, [0, 1]],
    ['L.', 3, [0, null, 1, 2]],
    ['LLL', 1, [0, null, null]],
    ['...', 0, [null, null, null]],
  ])('history %j over %i layers', (marks, count, layers) => expect(layersOf(marks, count)).toEqual(layers))

  test('every layer has exactly one step, steps count from 1', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('L', '.')), fc.nat(20), (marks, count) => {
        const steps = stepsOf(history(marks.join('')), count)
        expect(steps.map(step => step.index)).toEqual(steps.map((_, at) => at + 1))
        expect(steps.map(step => step.layer).filter(layer => layer !== null)).toEqual([...Array(count).keys()])
      }),
    )
  })

  test.each([
    ['L.L', 2, []],
    ['', 2, ['The image has no history: nothing tells what made its 2 layers.']],
    ['L.', 3, ['The history tells of 1 layer, the image has 3: the last 2 have no step of their own.']],
    ['LL', 1, ['The history tells of 2 layers, the image has 1: the last 1 of them are missing.']],
  ])('history %j over %i layers is told', (marks, count, told) => {
    expect(stepAnomalies(history(marks), count)).toEqual(told)
  })

  test('the base ends with the last CMD that layers follow', () => {
    const line = (createdBy: string, emptyLayer = false) => ({ ...history('x')[0], createdBy, emptyLayer })
    const steps = stepsOf(
      [
        line('ADD rootfs /'),
        line('/bin/sh -c #(nop)  CMD ["bash"]', true),
        line('COPY . .'),
        line('CMD ["app"]', true),
      ],
      2,
    )
    expect(guessBaseSteps(steps)).toBe(2)
    expect(guessBaseSteps(stepsOf(history('LLL'), 3))).toBe(0)
  })
})

describe('digests and bases', () => {
  test('chain ids follow the OCI formula', () => {
    const sha = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`
    expect(chainIds(['a', 'b', 'c'])).toEqual(['a', sha('a b'), sha(`${sha('a b')} c`)])
    expect(chainIds([])).toEqual([])
  })

  test('what is a digest', () => {
    expect(isDigest(diffId)).toBe(true)
    for (const text of ['', 'sha256:', `sha256:${'A'.repeat(64)}`, `md5:${'a'.repeat(64)}`, `${diffId}\n`])
      expect(isDigest(text)).toBe(false)
  })

  test('a base is a proper prefix; the longest is the nearest', () => {
    const image = ['a', 'b', 'c']
    expect(sharedLayers(image, ['a', 'b', 'x'])).toBe(2)
    expect([isBaseOf(['a', 'b'], image), isBaseOf(image, image), isBaseOf([], image), isBaseOf(['b'], image)]).toEqual([
      true,
      false,
      false,
      false,
    ])
    expect(nearestBase(image, [{ diffIds: ['a'] }, { diffIds: ['a', 'b'] }, { diffIds: ['x'] }])?.diffIds).toEqual([
      'a',
      'b',
    ])
    expect(nearestBase(image, [])).toBeNull()
  })
})
