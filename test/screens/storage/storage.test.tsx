/** The Storage screen: what it shows, what is asked before something goes, and that exactly that goes. */
import { beforeAll, describe, expect, test } from 'vitest'
import { Fault } from '../../../src/base/errors.ts'
import type { DiskUsage, Piece, Storage } from '../../../src/engine/usage.ts'
import { createStorage } from '../../../src/ui/storage/storage.ts'
import { type DiskSpec, diskOf } from '../../harness/disks.ts'
import { fakeContainers } from '../../harness/fake-containers.ts'
import { expectFrame } from '../../harness/frames.ts'
import { type MountOptions, mountScreen } from '../../harness/mount.tsx'

beforeAll(() => {
  process.env.TZ = 'UTC'
})

const now = Date.UTC(2026, 0, 2, 3, 4, 5)
const nameless = '0f3b6c8a'.repeat(8)

const docker: DiskSpec = {
  layers: { base: 74_800_000, node: 160_000_000, app1: 12_400_000, app2: 12_900_000, old: 9_100_000, kit: null },
  images: {
    'node:24': ['base', 'node'],
    'myapp:1': ['base', 'node', 'app1'],
    'myapp:2': ['base', 'node', 'app2'],
    '<none>': ['base', 'node', 'old'],
    'evil\x1b[31m:1': ['kit'],
  },
  containers: {
    web: {
      image: 'myapp:2',
      state: 'running',
      status: 'Up 3 hours',
      upperBytes: 1_204_000,
      logBytes: 48_200_000,
      volumes: ['data'],
    },
    worker: { image: 'myapp:1', upperBytes: 18_000_000, logBytes: 2_000, volumes: [nameless] },
  },
  volumes: {
    data: { bytes: 512_000_000 },
    [nameless]: { anonymous: true, bytes: 4_190_000 },
    lone: { bytes: 77_000_000 },
    remote: { bytes: null, driver: 'nfs' },
  },
  cache: {
    'COPY . .': { bytes: 12_900_000, shared: true, layers: ['app2'] },
    'RUN npm ci': { bytes: 208_000_000 },
  },
}

const podman: DiskSpec = {
  layers: { base: 74_800_000, 缓存: 31_000_000 },
  images: { 'localhost/缓存:稳定版': ['base', '缓存'] },
}

interface FakeDisk extends Storage {
  removed: Piece[]
  asked: number
}

/** An engine's disk that forgets what is removed from it. */
function fakeDisk(
  spec: DiskSpec,
  { refuses = {}, holds = {} }: { refuses?: Record<string, string>; holds?: Partial<Storage['holds']> } = {},
): FakeDisk {
  let usage: DiskUsage = diskOf(spec)
  const disk: FakeDisk = {
    removed: [],
    asked: 0,
    holds: { volumes: true, cache: true, layers: false, ...holds },
    async usage() {
      disk.asked++
      return usage
    },
    holders: async () => ({
      containers: usage.containers,
      images: usage.images,
      volumes: usage.volumes.map(one => one.name),
    }),
    async remove(pieces) {
      disk.removed.push(...pieces)
      const gone = new Set(pieces.filter(one => !(one.id in refuses)).map(one => one.id))
      const left = <T,>(all: Record<string, T> | undefined) =>
        Object.fromEntries(Object.entries(all ?? {}).filter(([id]) => !gone.has(id)))
      spec = {
        ...spec,
        images: left(spec.images),
        containers: left(spec.containers),
        volumes: left(spec.volumes),
        cache: left(spec.cache),
      }
      usage = diskOf(spec)
      return pieces.map(one => refuses[one.id] ?? null)
    },
  }
  return disk
}

async function shown(disks: Record<string, FakeDisk>, options: MountOptions & { readOnly?: boolean } = {}) {
  const fake = fakeContainers(
    Object.keys(disks).map(id => ({ id, ...(id === 'podman' && { kind: 'podman' as const }) })),
    options,
  )
  for (const { id, engine } of fake.service.watch().snapshot())
    fake.change(id, { engine: { ...engine!, storage: disks[id]! } })
  const app = await mountScreen(createStorage, { ...options, services: { containers: fake.service, now: () => now } })
  await app.settled()
  return { app, fake }
}

describe('the Storage screen', () => {
  test('shows what each engine holds, and what each image really costs', async () => {
    const { app } = await shown({ docker: fakeDisk(docker), podman: fakeDisk(podman) })
    await app.until('myapp:2')
    await expectFrame(app, 'storage/images')
    await app.press('tab')
    await expectFrame(app, 'storage/layers')
    await app.press('tab')
    await expectFrame(app, 'storage/containers')
    await app.press('tab')
    await expectFrame(app, 'storage/volumes')
    await app.press('tab')
    await expectFrame(app, 'storage/cache')
  })

  test.each([
    [60, 20],
    [80, 24],
  ])('at %ix%i', async (columns, rows) => {
    const { app } = await shown({ docker: fakeDisk(docker), podman: fakeDisk(podman) }, { columns, rows })
    await app.until('myapp:2')
    await expectFrame(app, 'storage/images')
    await app.press('P')
    await expectFrame(app, 'storage/prune')
  })

  test('its colours', async () => {
    const { app } = await shown({ docker: fakeDisk(docker) }, { level: '16', rows: 20 })
    await app.until('myapp:2')
    await expectFrame(app, 'storage/colours-16', { styles: true })
  })

  test('on a terminal without UTF-8', async () => {
    const { app } = await shown({ docker: fakeDisk(docker) }, { ascii: true, level: 'none', rows: 20 })
    await app.until('myapp:2')
    await expectFrame(app, 'storage/ascii')
  })

  test('the panel says who needs it and why it can not be freed', async () => {
    const { app } = await shown({ docker: fakeDisk(docker) })
    await app.until('myapp:2')
    await app.press('/')
    await app.type('myapp:2')
    await app.press('enter')
    await app.until('It can not be removed: web is made of')
    await app.press('esc', 'tab')
    await app.until('It is freed when the 4 images and the 2')
    await app.press('tab')
    await app.until('It can not be removed: it runs.')
  })

  test('enter opens the image or the container', async () => {
    const opened: string[] = []
    const explorer: NonNullable<MountOptions['explorer']> = (_, reference) => {
      opened.push(reference)
      return {
        id: 'x',
        title: () => 'x',
        scopes: () => [],
        actions: [],
        draw: size => Array(size.rows).fill(' '.repeat(size.columns)),
        subscribe: () => () => {},
      }
    }
    const { app } = await shown({ docker: fakeDisk(docker) }, { explorer })
    await app.until('myapp:2')
    await app.press('enter')
    await app.press('q')
    await app.press('tab', 'tab', 'enter')
    expect(opened).toEqual(['docker-daemon:myapp:2', 'container:docker/web'])
  })

  test('order and filter', async () => {
    const { app } = await shown({ docker: fakeDisk(docker), podman: fakeDisk(podman) })
    await app.until('myapp:2')
    const first = () =>
      app
        .line(6)
        .slice(2, 30)
        .trim()
        .split(/\s{2,}/)[0]
    await app.press('o', 'n')
    expect(first()).toContain('<none>')
    await app.press('/')
    await app.type('podman')
    await app.press('enter')
    expect(first()).toContain('localhost/缓存')
    await app.until('1 of 1')
  })
})

describe('removing', () => {
  test('names the exact victims and the bytes that are really freed', async () => {
    const disk = fakeDisk(docker)
    const { app } = await shown({ docker: disk })
    await app.until('myapp:2')
    await app.press('tab', 'tab', 'j', 'space', 'tab')
    await app.press('/')
    await app.type('0f3b')
    await app.press('enter', 'space', 'd')
    await app.until('Remove 1 container, 1 volume?')
    await expectFrame(app, 'storage/remove')
    await app.press('y')
    await app.until('freed 22.2 MB: 1 container, 1 volume')
    expect(disk.removed.map(one => `${one.kind} ${one.id}`)).toEqual(['container worker', `volume ${nameless}`])
  })

  test('what is in use stays, and says so', async () => {
    const disk = fakeDisk(docker)
    const { app } = await shown({ docker: disk })
    await app.until('myapp:2')
    await app.press('d')
    await app.until('it stays: web is made of it')
    expect(disk.removed).toEqual([])
  })

  test('what the engine refuses is told', async () => {
    const disk = fakeDisk(docker, { refuses: { lone: 'volume is in use' } })
    const { app } = await shown({ docker: disk })
    await app.until('myapp:2')
    await app.press('tab', 'tab', 'tab', '/')
    await app.type('lone')
    await app.press('enter', 'd', 'y')
    await app.until('lone: volume is in use')
  })

  test('is not possible with --read-only; looking at a prune is', async () => {
    const { app } = await shown({ docker: fakeDisk(docker) }, { readOnly: true })
    await app.until('myapp:2')
    expect(app.text()).not.toContain('remove…')
    await app.press('P')
    await app.until('read-only: nothing is removed')
    await app.press('enter')
    expect(app.text()).not.toContain('really freed')
  })
})

describe('the prune', () => {
  test('shows what goes, what that frees and why the rest stays; only what is left in goes', async () => {
    const disk = fakeDisk(docker)
    const { app } = await shown({ docker: disk, podman: fakeDisk(podman) })
    await app.until('myapp:2')
    await app.press('P')
    await expectFrame(app, 'storage/prune')
    await app.press('j', 'space', 'j', 'space', 'space', 'j', 'space')
    await expectFrame(app, 'storage/prune-all')
    // Sparing the container spares its image too.
    await app.press('j', 'j', 'j', 'space')
    await app.until('you keep it')
    await app.until(/○ image {6}myapp:1/)
    await app.press('enter')
    await app.until('Remove 4 images, 2 volumes, 1 cache entry?')
    await app.press('y')
    await app.until('freed')
    expect(disk.removed.map(one => `${one.kind} ${one.id}`)).not.toContain('container worker')
    expect(disk.removed.map(one => one.kind)).toContain('cache')
  })

  test('an engine that does not tell of its disk is no failure of the others', async () => {
    const lost = {
      ...fakeDisk(podman),
      usage: () => Promise.reject(new Fault('The engine refused: a disk usage operation is already running.')),
    }
    const { app } = await shown({ docker: fakeDisk(docker), podman: lost })
    await app.until('a disk usage operation is already running')
    await app.until('myapp:2')
  })

  test('an engine is asked once when the screen is shown, and again on the key', async () => {
    const disk = fakeDisk(docker)
    const { app, fake } = await shown({ docker: disk })
    await app.until('myapp:2')
    for (let at = 0; at < 100; at++) fake.happen('docker', { action: 'create' })
    await app.until('changed since')
    expect(disk.asked).toBe(1)
    await app.press('ctrl-r')
    expect(disk.asked).toBe(2)
  })
})
