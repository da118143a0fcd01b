/**
 * The disk of a real engine: what Strata says it holds against what the engine's own `system df` says, and what it says
 * would be freed against the blocks of the disk that are free afterwards.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Engine, openEngine } from '../../src/engine/engine.ts'
import { type PruneKinds, planPrune, planRemoval } from '../../src/engine/prune.ts'
import { carryOut } from '../../src/engine/prune-carry.ts'
import type { DiskUsage } from '../../src/engine/usage.ts'
import { imageCosts, totals } from '../../src/engine/usage-sums.ts'
import { command } from './command.ts'
import { type Builder, buildImage, importBusybox } from './engine-images.ts'
import type { TestEngine } from './engines.ts'

export interface StorageSetting {
  name: string
  start(): Promise<TestEngine>
  builder: Builder
  /** Compares with the engine's own command line. */
  judge(engine: TestEngine, usage: DiskUsage): Promise<void>
  /** Whether it keeps what BuildKit has made, and gives it to images. */
  buildCache: boolean
}

const nothing: PruneKinds = { containers: false, images: 'none', volumes: 'none', cache: false, layers: false }
const MB = 1 << 20

/** Registers the tests. What they leave behind is what the next one needs: an engine takes seconds to start. */
export function describeStorage({ name, start, builder, judge, buildCache }: StorageSetting): void {
  describe(`the disk of ${name}`, () => {
    let made: TestEngine
    let engine: Engine

    const make = (path: string, megabytes: number) => `dd if=/dev/urandom of=${path} bs=1M count=${megabytes}`
    const build = (tag: string, own: number) =>
      buildImage(made, {
        tag,
        builder,
        dockerfile: `FROM busybox:test\nRUN ${make('/shared', 6)}\nARG OWN\nRUN ${make(`/own-$OWN`, own)}\n`,
        args: ['--build-arg', `OWN=${tag.replace(':', '-')}-${own}`, ...(builder === 'podman' ? ['--layers'] : [])],
      })
    const run = (...args: string[]) => made.cli('run', '--network=host', ...args)
    const usage = () => engine.storage.usage()
    /** Bytes of the disk that the engine's folder takes, mounts of running containers left out. */
    const disk = async () => Number((await command('du', ['-xs', '--block-size=1', made.dataRoot])).split('\t')[0])
    /** What was said against what the disk says: directories and documents are a few blocks more. */
    const expectFreed = (said: number, before: number, after: number) => {
      expect(before - after, `${said} bytes were promised`).toBeGreaterThan(said - 0.1 * MB)
      expect(before - after, `${said} bytes were promised`).toBeLessThan(said + 0.4 * MB)
    }
    const idOf = (one: DiskUsage, image: string) =>
      one.images.find(({ names }) => names.some(name => name.endsWith(image)))!.id

    beforeAll(async () => {
      made = await start()
      await importBusybox(made)
      for (const [tag, own] of [
        ['app:1', 2],
        ['app:2', 3],
        ['app:3', 4],
      ] as const)
        await build(tag, own)
      // What was app:3 until now has no name any more.
      await made.cli('tag', 'app:1', 'app:3')
      await made.cli('tag', 'app:1', 'app:latest')
      await run(
        '-d',
        '--stop-signal=KILL',
        '--name',
        'web',
        '-v',
        'data:/v',
        'app:1',
        'sh',
        '-c',
        `${make('/v/x', 2)}; touch /done; sleep 1000`,
      )
      await run(
        '--name',
        'old',
        '-v',
        '/nameless',
        'app:2',
        'sh',
        '-c',
        `${make('/up', 3)}; ${make('/nameless/x', 1)}; echo said`,
      )
      await made.cli('volume', 'create', 'lone')
      const address = { kind: 'unix', path: made.socket } as const
      engine = await openEngine({ name: 'test', address, origin: 'test', asked: true }, { env: {} })
    }, 120_000)
    afterAll(async () => {
      engine?.close()
      await made?.stop()
    })

    test('is what its own command line says', async () => {
      await expect.poll(async () => (await usage()).volumes.find(one => one.name === 'data')?.bytes).toBe(2 * MB)
      await judge(made, await usage())
    })

    test('every layer once: an image is unique where nobody shares', async () => {
      const all = await usage()
      expect(all.unknown).toEqual([])
      const costs = imageCosts(all)
      const { unique, shared, sharedWith } = costs.get(idOf(all, 'app:2'))!
      expect(Math.round(unique.bytes / MB)).toBe(3)
      expect(Math.round((shared.bytes / MB) * 10) / 10).toBeCloseTo(7.9, 0)
      expect(sharedWith.size).toBe(3)
      expect(all.volumes.map(one => [one.anonymous, one.users.length, one.bytes]).sort()).toEqual([
        [false, 0, 0],
        [false, 1, 2 * MB],
        [true, 1, MB],
      ])
      const old = all.containers.find(one => one.name === 'old')!
      expect([Math.round(old.upperBytes! / MB), old.logBytes! > 5]).toEqual([3, true])
    })

    test('what is in use is not removed, and says why', async () => {
      const all = await usage()
      const plan = planRemoval(all, [
        { kind: 'image', id: idOf(all, 'app:1') },
        { kind: 'container', id: all.containers.find(one => one.name === 'web')!.id },
        { kind: 'volume', id: 'data' },
      ])
      expect(plan.victims).toEqual([])
      expect(plan.stays.map(one => one.why).sort()).toEqual(['it runs', 'web is made of it', 'web mounts it'])
    })

    test('what began to be used since it was shown stays, and is told', async () => {
      const before = await usage()
      const plan = planPrune(before, { ...nothing, images: 'dangling', volumes: 'all' })
      expect(plan.victims.map(one => one.kind)).toEqual(['image', 'volume'])
      const [image, volume] = plan.victims
      await made.cli('create', '--network=host', '--name', 'late', '-v', 'lone:/v', image!.id)
      const outcome = await carryOut(engine.storage, before, plan)
      expect(outcome.gone).toEqual([])
      expect(outcome.stayed.map(({ why }) => why)).toEqual(['late is made of it by now', 'late mounts it by now'])
      // Even who did not ask again is refused by the engine.
      const reasons = await engine.storage.remove([
        { kind: 'image', id: image!.id, names: [] },
        { kind: 'volume', id: volume!.id },
      ])
      expect(reasons).toEqual([expect.any(String), expect.any(String)])
      await made.cli('rm', 'late')
    })

    test('a prune frees what it has said, of nameless images', async () => {
      const all = await usage()
      const plan = planPrune(all, { ...nothing, images: 'dangling' })
      const before = await disk()
      const outcome = await carryOut(engine.storage, all, plan)
      expect([outcome.stayed, outcome.frees]).toEqual([[], plan.frees])
      expect(Math.round(plan.frees.bytes / MB)).toBe(4)
      expectFreed(plan.frees.bytes, before, await disk())
    })

    test('a prune frees what it has said, of all that is not in use, and nothing else goes', async () => {
      const all = await usage()
      const plan = planPrune(all, {
        containers: true,
        images: 'unused',
        volumes: 'anonymous',
        cache: true,
        layers: true,
      })
      const before = await disk()
      const outcome = await carryOut(engine.storage, all, plan)
      expect(outcome.stayed).toEqual([])
      expectFreed(plan.frees.bytes, before, await disk())
      const left = await usage()
      expect(left.images.flatMap(one => one.names.map(name => name.replace(/^localhost\//, ''))).sort()).toEqual([
        'app:1',
        'app:3',
        'app:latest',
      ])
      expect(left.containers.map(one => one.name)).toEqual(['web'])
      expect(left.volumes.map(one => one.name).sort()).toEqual(['data', 'lone'])
      expect(
        totals(left)
          .filter(one => one.kind !== 'volumes')
          .map(one => one.reclaimable.bytes),
      ).toEqual([0, 0, 0, 0])
    })

    if (!buildCache) return
    test('an image whose layer the build cache has frees it only together with the cache', async () => {
      const dockerfile = 'FROM busybox:test\nRUN head -c 2000000 /dev/urandom > /kit\n'
      await importBusybox(made)
      await buildImage(made, { tag: 'kit:1', builder: 'buildkit', dockerfile })
      const all = await usage()
      const kit = { kind: 'image', id: idOf(all, 'kit:1') } as const
      const cache = all.cache.map(({ id }) => ({ kind: 'cache', id }) as const)
      expect(planRemoval(all, [kit]).frees.bytes).toBe(0)
      expect(planRemoval(all, cache).frees.bytes).toBeLessThan(1000)
      const plan = planRemoval(all, [kit, ...cache])
      expect(plan.frees.bytes).toBeGreaterThan(2_000_000)
      const before = await disk()
      expect((await carryOut(engine.storage, all, plan)).stayed).toEqual([])
      expectFreed(plan.frees.bytes, before, await disk())
      expect((await usage()).cache).toEqual([])
    })
  })
}
