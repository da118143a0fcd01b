/** What an engine's disk holds: sums, what a prune would take and really free, and doing exactly that. */
import { describe, expect, test } from 'vitest'
import { type Plan, type PruneKinds, planPrune, planRemoval } from '../../../src/engine/prune.ts'
import { carryOut, changedSince } from '../../../src/engine/prune-carry.ts'
import type { Holders, Piece } from '../../../src/engine/usage.ts'
import { withLent } from '../../../src/engine/usage-lent.ts'
import { choose, freedBy, imageCosts, totals } from '../../../src/engine/usage-sums.ts'
import { diskOf } from '../../harness/disks.ts'

const shared = {
  layers: { base: 100, app: 20, web: 7 },
  images: { 'app:1': ['base', 'app'], 'web:1': ['base', 'web'] },
}
const freed = (spec: Parameters<typeof diskOf>[0], images: string[]) =>
  freedBy(diskOf(spec), choose({ images: new Set(images) }))

describe('what is freed', () => {
  test('a layer that another image needs is not freed, and once when both go', () => {
    expect(freed(shared, ['app:1'])).toEqual({ bytes: 20, atLeast: false })
    expect(freed(shared, ['app:1', 'web:1'])).toEqual({ bytes: 127, atLeast: false })
  })

  test('a layer of which nobody knows the size makes it “at least”', () => {
    expect(freed({ ...shared, layers: { base: 100, app: null, web: 7 } }, ['app:1'])).toEqual({
      bytes: 0,
      atLeast: true,
    })
  })

  test('a container, an entry of the build cache and whatever runs keep a layer', () => {
    expect(freed({ ...shared, containers: { box: { image: 'app:1' } } }, ['app:1']).bytes).toBe(0)
    expect(freed({ ...shared, cache: { step: { shared: true, bytes: 20, layers: ['app'] } } }, ['app:1']).bytes).toBe(0)
    expect(freed({ ...shared, busy: ['app'] }, ['app:1']).bytes).toBe(0)
  })

  test('an entry of the build cache that is a layer too is counted as the layer, once', () => {
    const disk = diskOf({ ...shared, cache: { step: { shared: true, bytes: 20, layers: ['app'] }, own: { bytes: 5 } } })
    const cache = new Set(['step', 'own'])
    expect(freedBy(disk, choose({ cache })).bytes).toBe(5)
    expect(freedBy(disk, choose({ cache, images: new Set(['app:1']) })).bytes).toBe(25)
  })

  test('what an image costs: unique, shared, with whom', () => {
    const cost = imageCosts(diskOf(shared)).get('app:1')!
    expect([cost.total.bytes, cost.unique.bytes, cost.shared.bytes, [...cost.sharedWith]]).toEqual([
      120,
      20,
      100,
      ['web:1'],
    ])
  })

  test('a layer that an image has twice is one', () => {
    const cost = imageCosts(diskOf({ layers: { base: 100 }, images: { 'a:1': ['base', 'base'] } })).get('a:1')!
    expect(cost.total.bytes).toBe(100)
  })

  test('the sums of a disk have every byte once', () => {
    const disk = diskOf({
      ...shared,
      containers: {
        web: { image: 'web:1', state: 'running', upperBytes: 3, logBytes: 11 },
        old: { image: 'app:1', upperBytes: 5, logBytes: 13 },
      },
      volumes: { data: { bytes: 17, users: ['web'] }, lone: { bytes: 19 }, odd: { bytes: null } },
      cache: { step: { bytes: 20, shared: true, layers: ['app'] }, own: { bytes: 23 } },
    })
    expect(totals(disk).map(one => [one.kind, one.count, one.active, one.size.bytes, one.reclaimable.bytes])).toEqual([
      ['images', 2, 2, 127, 0],
      ['containers', 2, 1, 8, 5],
      ['logs', 2, 1, 24, 13],
      ['volumes', 3, 1, 36, 19],
      ['cache', 2, 0, 23, 23],
    ])
    expect(totals(disk)[3]!.size.atLeast).toBe(true)
  })
})

const nothing: PruneKinds = { containers: false, images: 'none', volumes: 'none', cache: false, layers: false }
const names = (plan: Plan) => plan.victims.map(one => `${one.kind} ${one.name} ${one.bytes}`)
const reasons = (plan: Plan) => plan.stays.map(one => `${one.name}: ${one.why}`)

describe('a prune', () => {
  const disk = diskOf({
    layers: { base: 100, app: 20, web: 7, left: 4 },
    images: { 'app:1': ['base', 'app'], 'web:1': ['base', 'web'], '<none>': ['base', 'left'] },
    containers: {
      web: { image: 'web:1', state: 'running', volumes: ['data'] },
      old: { image: 'app:1', upperBytes: 5, volumes: ['0f'] },
    },
    volumes: { data: { bytes: 17 }, '0f': { bytes: 3, anonymous: true }, lone: { bytes: 19 } },
  })

  test('takes only the kinds that it is asked for', () => {
    expect(names(planPrune(disk, nothing))).toEqual([])
    expect(names(planPrune(disk, { ...nothing, images: 'dangling' }))).toEqual(['image <none> 4'])
    expect(names(planPrune(disk, { ...nothing, volumes: 'all' }))).toEqual(['volume lone 19'])
    expect(names(planPrune(disk, { ...nothing, volumes: 'anonymous' }))).toEqual([])
  })

  test('takes what only its victims use', () => {
    const plan = planPrune(disk, { ...nothing, containers: true, images: 'unused', volumes: 'anonymous' })
    expect(names(plan)).toEqual(['container old 5', 'image app:1 20', 'image <none> 4', 'volume 0f 3'])
    expect([plan.frees.bytes, plan.kept]).toEqual([32, 100])
  })

  test('says of each thing why it stays', () => {
    const plan = planPrune(disk, { ...nothing, containers: true, images: 'dangling', volumes: 'anonymous' })
    expect(reasons(plan)).toEqual([
      'web: it runs',
      'app:1: it has a name',
      'web:1: it has a name',
      'data: it has a name',
      'lone: it has a name',
    ])
    expect(reasons(planPrune(disk, { ...nothing, images: 'unused', volumes: 'all' }))).toEqual([
      'app:1: old is made of it',
      'web:1: web is made of it',
      'data: web mounts it',
      '0f: old mounts it',
    ])
  })

  test('counts what several victims share once, and as no one’s own', () => {
    const plan = planPrune(diskOf(shared), { ...nothing, images: 'unused' })
    expect([names(plan), plan.together, plan.frees.bytes]).toEqual([['image app:1 20', 'image web:1 7'], 100, 127])
  })

  test('spares entries of the build cache that are layers of images which stay, and what they stand on', () => {
    const cached = diskOf({
      ...shared,
      cache: {
        source: { bytes: 1 },
        step: { bytes: 20, shared: true, layers: ['app'], parents: ['source'] },
        free: { bytes: 9 },
        busy: { bytes: 2, inUse: true },
      },
    })
    const plan = planPrune(cached, { ...nothing, cache: true })
    expect([names(plan), plan.frees.bytes]).toEqual([['cache [2/3] free 9'], 9])
    expect(reasons(plan)).toEqual([
      '[2/3] source: a part of the cache that stays stands on it',
      '[2/3] step: it is a layer of an image',
      '[2/3] busy: a build needs it',
    ])
    expect(planPrune(cached, { ...nothing, cache: true, images: 'unused' }).frees.bytes).toBe(127 + 1 + 9)
  })

  test('takes the layers of the native store that nobody needs', () => {
    const native = diskOf({ ...shared, layers: { ...shared.layers, loose: 6, held: 8 }, busy: ['held'] })
    const plan = planPrune(native, { ...nothing, layers: true })
    expect([names(plan), plan.frees.bytes]).toEqual([['layer loose 6'], 6])
  })
})

describe('a removal', () => {
  test('refuses what is in use, and says by whom', () => {
    const disk = diskOf({
      ...shared,
      containers: { web: { image: 'web:1', state: 'running', volumes: ['data'] } },
      volumes: { data: {}, odd: { busy: true } },
    })
    const picked = [
      { kind: 'container', id: 'web' },
      { kind: 'image', id: 'web:1' },
      { kind: 'volume', id: 'data' },
      { kind: 'volume', id: 'odd' },
      { kind: 'layer', id: 'base' },
    ] as const
    const plan = planRemoval(disk, picked)
    expect([names(plan), reasons(plan)]).toEqual([
      [],
      [
        'web: it runs',
        'base: it is in use',
        'web:1: web is made of it',
        'data: web mounts it',
        'odd: something uses it',
      ],
    ])
  })

  test('takes an image with its stopped container when both are picked', () => {
    const disk = diskOf({ ...shared, containers: { old: { image: 'app:1', upperBytes: 5 } } })
    const picked = [
      { kind: 'image', id: 'app:1' },
      { kind: 'container', id: 'old' },
    ] as const
    expect(planRemoval(disk, picked).frees.bytes).toBe(25)
  })
})

describe('layers that are lent', () => {
  const lender = {
    id: 'podman',
    usage: diskOf({ ...shared, images: { ...shared.images, 'more:1': ['base', 'app', 'web'] } }),
  }
  const native = {
    id: 'native',
    usage: diskOf({ containers: { nat: { borrows: ['base', 'app'] }, own: {}, odd: { borrows: ['elsewhere'] } } }),
  }

  test('an image that a native container stands on is in use, and frees nothing', () => {
    const [podman, same] = withLent([lender, native])
    expect(same).toBe(native)
    const plan = planPrune(podman!.usage, { ...nothing, images: 'unused' })
    expect([names(plan), plan.frees.bytes]).toEqual([['image web:1 0'], 0])
    expect(reasons(plan)).toEqual([
      'app:1: nat of the native engine stands on it',
      'more:1: nat of the native engine stands on it',
    ])
    expect(totals(podman!.usage)[0]).toMatchObject({ count: 3, active: 2 })
  })

  test('a disk that lends nothing is as it was', () => {
    const docker = { id: 'docker', usage: diskOf({ layers: { base: 1 }, images: { 'other:1': ['base'] } }) }
    expect(withLent([docker, native])[0]).toBe(docker)
  })
})

describe('between the preview and the deed', () => {
  const disk = diskOf({
    ...shared,
    containers: { old: { image: 'app:1' } },
    volumes: { lone: { bytes: 19 }, data: { bytes: 1 } },
  })
  const { victims } = planPrune(disk, { ...nothing, containers: true, images: 'unused', volumes: 'all' })
  const now = (change: Partial<Holders> = {}): Holders => ({
    containers: disk.containers,
    images: disk.images,
    volumes: ['lone', 'data'],
    ...change,
  })
  const changed = (holders: Holders) =>
    [...changedSince(disk, victims, holders)].map(([victim, why]) => `${victim.name}: ${why}`)

  test('nothing that is as it was stays', () => {
    expect(changed(now())).toEqual([])
    expect(changed(now({ containers: [], images: [], volumes: [] }))).toEqual([])
  })

  test('what began to be used stays', () => {
    expect(changed(now({ containers: disk.containers.map(one => ({ ...one, state: 'running' })) }))).toEqual([
      'old: it runs by now',
      'app:1: old is made of it by now',
    ])
    const fresh = { id: 'new', name: 'new', state: 'created', imageId: 'web:1', volumes: ['lone'] } as const
    expect(changed(now({ containers: [...disk.containers, fresh] }))).toEqual([
      'web:1: new is made of it by now',
      'lone: new mounts it by now',
    ])
  })

  test('an image that got another name stays', () => {
    const images = disk.images.map(one => ({ ...one, names: [...one.names, 'kept:1'] })).slice(0, 1)
    expect(changed(now({ images }))).toEqual(['app:1: it is called kept:1 by now'])
  })

  test('only what was shown is removed, and only what went is counted', async () => {
    const removed: Piece[] = []
    const storage = {
      holders: async () => now({ images: [] }),
      remove: async (pieces: readonly Piece[]) => {
        removed.push(...pieces)
        return pieces.map(one => (one.id === 'lone' ? 'volume is in use' : null))
      },
    }
    const outcome = await carryOut(storage, disk, { victims })
    expect(removed.map(one => `${one.kind} ${one.id}`)).toEqual([
      'container old',
      'image app:1',
      'image web:1',
      'volume lone',
      'volume data',
    ])
    expect(outcome.stayed.map(({ victim, why }) => [victim.name, why])).toEqual([['lone', 'volume is in use']])
    expect(outcome.frees.bytes).toBe(127 + 1)
  })
})
