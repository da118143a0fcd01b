/** A container in the Explorer: its live layer on top of its image, while it changes. */
import { describe, expect, it } from 'vitest'
import { containerReference, type Services } from '../../src/actions/services.ts'
import { Kind } from '../../src/layer/entry.ts'
import { entryOf } from '../../src/layer/read-entry.ts'
import { createLiveLayer } from '../../src/live/live-layer.ts'
import { createLiveView, type Fed, type Mount } from '../../src/live/live-view.ts'
import type { LiveChange } from '../../src/runtime/upper-watch.ts'
import type { Image } from '../../src/source/types.ts'
import { createExplorer } from '../../src/ui/explorer/explorer.ts'
import { expectFrame } from '../harness/frames.ts'
import { type Mounted, type MountOptions, mountScreen } from '../harness/mount.tsx'
import { classicImage } from './explorer-images.ts'

interface Live {
  app: Mounted
  view: Fed
  /** Tells of changes as the watching would, and waits until they are on the screen. */
  tell(...changes: LiveChange[]): Promise<void>
  pass(ms: number): void
}

const mounts: Mount[] = [
  { kind: 'volume', source: '/var/lib/docker/volumes/web-data/_data', destination: '/data' },
  { kind: 'log', source: '/var/lib/docker/containers/x/x-json.log', destination: '(json-file log)' },
]

function change(op: LiveChange['op'], path: string, more: Partial<LiveChange> = {}): LiveChange {
  const blank = { size: 0, mode: 0o644, uid: 0, gid: 0, mtime: 0, nsec: 0, written: 0, lower: null, lowerSize: null }
  return { op, path: Buffer.from(path), kind: Kind.file, reasons: [], link: null, ...blank, ...more }
}

const directory = { kind: Kind.dir, mode: 0o755 } as const

const first = [
  change('A', 'var/log/nginx', directory),
  change('A', 'var/log/nginx/access.log', { size: 2_400_000 }),
  change('C', 'scripts/server.js', { size: 131, mode: 0o755, lower: 4, lowerSize: 130, reasons: ['content'] }),
  change('C', 'usr/lib/libc.so.6', { size: 1_900_000, mode: 0o700, lower: 0, lowerSize: 1_900_000, reasons: ['mode'] }),
  change('D', 'etc/motd'),
]

/** The classic image with a container's layer on top; the files of the live layer say their own path. */
function liveImage(view: Fed, below: Image): Image {
  const info = {
    index: view.number,
    diffId: '',
    chainId: '',
    digest: null,
    mediaType: '',
    compressed: null,
    roughBytes: null,
  }
  const step = {
    index: below.steps.length + 1,
    layer: view.number,
    imageId: null,
    created: null,
    createdBy: 'live layer',
  }
  return Object.assign(Object.create(below) as Image, {
    live: view,
    names: ['web'],
    layers: [...below.layers, info],
    steps: [...below.steps, { ...step, comment: null, author: null, emptyLayer: false }],
    indexLayer: async (layer, work) => (layer === view.number ? view.take() : below.indexLayer(layer, work)),
    async *readFile(layer, entry, options) {
      if (layer !== view.number) return yield* below.readFile(layer, entry, options)
      yield Buffer.from(`this is ${Buffer.from(entryOf(options?.of ?? view.taken(), entry).path).toString()}\n`)
    },
  } satisfies Partial<Image>)
}

async function container(options: MountOptions = {}, gate?: Promise<void>): Promise<Live> {
  let now = 1_000_000
  const below = classicImage(gate ? { gate: () => gate } : {})
  const view = createLiveView(below.layers.length, 'web', mounts, createLiveLayer())
  const put = (changes: LiveChange[]) => {
    view.layer.apply({ changes, notices: [], every: null }, now)
    view.fed()
  }
  put(first)
  const app = await mountScreen(ui => createExplorer(ui, containerReference('docker', 'web')), {
    level: 'none',
    ...options,
    services: { open: async () => liveImage(view, below), now: () => now, ...options.services },
  })
  if (!gate) await app.until(screen => screen.includes('live layer 4.3 MB') || screen.includes('5 changes'))
  return {
    app,
    view,
    async tell(...changes) {
      now += 200
      put(changes)
      await still(app)
    },
    pass(ms) {
      now += ms
    },
  }
}

/** Waits until nothing changes any more, also what is drawn a little later. */
async function still(app: Mounted): Promise<void> {
  for (let same = 0, before = ''; same < 12; same++) {
    await app.settled()
    await new Promise(resolve => setTimeout(resolve, 10))
    if (app.text() !== before) same = 0
    before = app.text()
  }
}

const written = (size: number, more: Partial<LiveChange> = {}) =>
  change('A', 'var/log/nginx/access.log', { size, written: 300_000, ...more })

describe.each([
  [120, 36],
  [60, 20],
] as const)('%ix%i', (columns, rows) => {
  it('the live layer lies on top, its changes with what they are about', async () => {
    const live = await container({ columns, rows })
    await live.tell(written(2_700_000))
    await expectFrame(live.app, 'explorer/live')
    await live.app.press('tab', 'a')
    await still(live.app)
    await expectFrame(live.app, 'explorer/live-tree')
  })

  it('a file of the layer beside what lies below it', async () => {
    const live = await container({ columns, rows })
    await live.app.press('tab', 'a', 'Z')
    await live.app.until('server.js')
    for (let n = 0; n < 30 && !live.app.text().includes('live layer  131 B'); n++) {
      await live.app.press('j', 'D')
      await still(live.app)
    }
    await expectFrame(live.app, 'explorer/compare')
    await live.app.press('x')
    await still(live.app)
    await expectFrame(live.app, 'explorer/compare-hex')
  })

  it('where it writes, and what lies elsewhere', async () => {
    const live = await container({ columns, rows })
    await live.tell(written(2_700_000))
    await live.app.press('3')
    await still(live.app)
    await expectFrame(live.app, 'explorer/live-hot')
  })
})

it('rates, notes and letters stand beside the paths', async () => {
  const { app, tell, pass } = await container({ columns: 200 })
  await tell(written(2_700_000))
  await app.press('tab', 'a', 'Z')
  await app.until('access.log')
  expect(lineWith(app, 'access.log')).toMatch(/A .*2\.7 MB +100 kB\/s .*writing/)
  expect(lineWith(app, 'server.js')).toMatch(/C .*copied up from step 6/)
  expect(lineWith(app, 'libc.so.6')).toMatch(/mode 0755 → 0700, copied up from step 1, 1\.9 MB for that/)
  expect(lineWith(app, 'motd')).toMatch(/D /)
  pass(60_000)
  await tell(change('A', 'x'))
  expect(lineWith(app, 'access.log')).not.toMatch(/writing|\/s/)
})

it('the cursor stays on its path while rows come and go', async () => {
  const { app, tell } = await container({ level: '16' })
  await app.press('tab', 'a', 'Z')
  await app.until('access.log')
  const at = () => app.line(app.find('server.js').y)
  for (let n = 0; n < 30 && !cursorOn(app, 'server.js'); n++) await app.press('j')
  expect(cursorOn(app, 'server.js'), at()).toBe(true)
  await tell(change('A', 'aaa'), change('A', 'bin/new'), change('-', 'etc/motd'))
  expect(cursorOn(app, 'server.js'), at()).toBe(true)
  await tell(change('-', 'aaa'), change('-', 'bin/new'), change('-', 'usr/lib/libc.so.6'))
  expect(cursorOn(app, 'server.js'), at()).toBe(true)
})

it('thirty thousand paths that came and went leave cursor and folds where they were', async () => {
  const { app, tell } = await container({ level: '16' })
  await app.press('tab', 'a', 'Z')
  await app.until('access.log')
  await tell(change('A', 'zz', directory), change('A', 'zz/inside', { size: 1 }))
  for (let n = 0; n < 30 && !cursorOn(app, 'zz'); n++) await app.press('j')
  await app.press('left')
  await still(app)
  const passing = Array.from({ length: 30_000 }, (_, at) => change('A', `aaa/${at}`))
  await tell(...passing)
  await tell(...passing.map(one => ({ ...one, op: '-' as const })))
  await tell(change('A', 'zzz-after', { size: 5 }))
  await app.until('zzz-after')
  expect(app.text()).not.toContain('inside  ')
  expect(cursorOn(app, 'zz/')).toBe(true)
  await app.press('right')
  await app.until('inside')
})

it('a file that is viewed stays that file, whatever the layer becomes', async () => {
  const { app, tell } = await container()
  await app.press('tab', 'a', 'Z')
  await app.until('access.log')
  await app.press('G')
  await app.press('v')
  await app.until('this is var/log/nginx/access.log')
  await tell(...Array.from({ length: 30 }, (_, at) => change('A', `aaa/${at}`)), change('-', 'var/log/nginx'))
  await app.press('x', 'x', 'g')
  expect(app.text()).toContain('this is var/log/nginx/access.log')
})

it('the blame of a path goes on being drawn when its version is gone', async () => {
  const { app, tell } = await container()
  await app.press('tab', 'a', 'Z')
  await app.until('access.log')
  await app.press('G', 'b')
  await app.until('touched by 1 step')
  await tell(...first.map(one => ({ ...one, op: '-' as const })))
  await app.resize(100, 30)
  expect(app.text()).toContain('touched by 1 step')
})

it('what changed while the layers below were read is there once they are', async () => {
  const gate = Promise.withResolvers<void>()
  const { app, tell } = await container({}, gate.promise)
  await tell(change('A', 'early', { size: 77 }))
  gate.resolve()
  await app.until('6 changes')
  await app.press('tab', 'a')
  await app.until('early')
})

it('s on the live layer goes into the container, on a step of its image into that step', async () => {
  const asked: unknown[] = []
  const containers = {
    ...({} as Services['containers']),
    shell: async (engine: string | null, one: { id: string; name: string }) =>
      asked.push(engine, one.id, one.name) && 0,
  }
  const shell = async (_: Image, step: number) => ({ run: async () => asked.push(step) && 0, release: async () => {} })
  const { app } = await container({ services: { containers, shell } })
  await app.press('s')
  await app.until(() => asked.length === 3)
  await app.press('g', 's')
  await app.until(() => asked.length === 4)
  expect(asked).toEqual(['docker', 'web', 'web', 1])
})

it('nothing is entered where nothing may be done', async () => {
  const asked: string[] = []
  const shell = async () => asked.push('shell')
  const containers = { ...({} as Services['containers']), readOnly: true, shell }
  const { app } = await container({ services: { containers, shell: () => Promise.reject(asked.push('image')) } })
  await app.press('s')
  expect(asked).toEqual([])
})

it('polling is said, with how often', async () => {
  const { app, view, tell } = await container()
  view.setEvery(3000)
  await tell(change('A', 'x'))
  expect(app.text()).toContain('Polled every 3 s.')
})

it('a container that went says so, and what its layer was stays', async () => {
  const { app, view } = await container()
  view.setNotice('The container is gone: this is what its layer was.')
  view.fed()
  await app.until('The container is gone')
  expect(app.text()).toContain('! see the step')
  await app.press('tab', 'a', 'Z')
  await app.until('access.log')
})

it('names that would drive the terminal are only ever text', async () => {
  const { app, view, tell } = await container()
  view.setNotice('broken \x1b[2J \u202e')
  await tell(change('A', '資料\x1b[31m/log\x1b[2J', { size: 10, written: 900_000 }))
  await app.until('資料\\x1b[31m takes')
  await app.press('3')
  await app.until('資料\\x1b[31m')
  expect(app.text()).not.toMatch(/è³|\u202e/)
})

describe('what the engine is asked for', () => {
  /** An engine with the container, and what is open at it. */
  function engine() {
    const open = new Set<string>()
    const until = (signal: AbortSignal) => new Promise(resolve => signal.addEventListener('abort', resolve))
    const sample = (at: number) => ({
      ...{ time: at * 1000, cpuPercent: at * 10, memory: at * 1e6, memoryLimit: 1e8, pids: 3 },
      ...{ netReceived: at * 2000, netSent: 0, blockRead: 0, blockWritten: at * 500 },
    })
    const containers = {
      capabilities: { pause: true },
      async *stats(_: string, { signal }: { signal: AbortSignal }) {
        open.add('stats')
        for (let at = 1; at < 5; at++) yield sample(at)
        await until(signal)
        open.delete('stats')
      },
      async *logs(_: string, { signal }: { signal: AbortSignal }) {
        open.add('logs')
        yield { stream: 'stdout', time: null, bytes: Buffer.from('it said \x1b[2Jthis') }
        await until(signal)
        open.delete('logs')
      },
      top: async () => ({
        titles: ['PID', 'CMD'],
        rows: [
          ['12', 'nginx: master'],
          ['345', 'evil \x1b[2J'],
        ],
      }),
      inspect: async () => ({
        ...{ id: 'f00', name: 'web', image: 'nginx:1', imageId: null, status: 'Up 3 hours', state: 'running' },
        ...{ entrypoint: [], cmd: ['nginx'], env: ['API_TOKEN=hush', 'A=1'], ports: [], mounts, networks: ['bridge'] },
        ...{ labels: {}, logDriver: 'json-file', logPath: null, overlay: null, upperBytes: 12_000, pid: 7 },
      }),
    }
    const reach = (_: unknown, name: string, run: (...args: unknown[]) => Promise<unknown>) =>
      run({ containers, id: 'docker', kind: 'docker', command: null }, name)
    return { open, services: { containers: { readOnly: false, reach } as unknown as Services['containers'] } }
  }

  it('is asked only while its tab is shown', async () => {
    const { open, services } = engine()
    const { app } = await container({ services })
    expect([...open]).toEqual([])
    await app.press('5')
    await app.until('CPU       40.0 %')
    expect(app.text()).toMatch(/Received +2 kB\/s {2}8 kB in all/)
    expect([...open]).toEqual(['stats'])
    await app.press('4')
    await app.until('it said')
    expect([...open]).toEqual(['logs'])
    await app.press('6')
    await app.until('nginx: master')
    expect(app.text()).toContain('evil \\x1b[2J')
    expect([...open]).toEqual([])
  })

  it('what the container was made with, secrets masked; of a step, what the image says', async () => {
    const { app } = await container({ services: engine().services })
    await app.press('7')
    await app.until('Up 3 hours')
    expect(app.text()).not.toContain('hush')
    expect(app.text()).toContain('API_TOKEN=••••••')
    await app.press('tab', 'g')
    await app.until('Image id')
    expect(app.text()).not.toContain('Up 3 hours')
  })

  it('k on the live layer commits it, e exports it; in the tree they are what they are everywhere', async () => {
    const { app } = await container({ services: engine().services })
    await app.press('k')
    await app.until('Commit web as an image')
    await app.press('esc')
    await app.until(text => !text.includes('Commit web'))
    await app.press('e')
    await app.until('Export what web has changed')
    await app.press('esc')
    await app.until(text => !text.includes('Export what'))
    await app.press('tab', 'j', 'k', 'k')
    expect(app.text()).not.toContain('Commit web')
  })

  it('f follows what changes last, until the cursor is moved', async () => {
    const { app, tell } = await container({ level: '16', services: engine().services })
    await app.press('f')
    await tell(change('A', 'etc/newest', { size: 3 }))
    expect(cursorOn(app, 'newest')).toBe(true)
    await tell(change('A', 'usr/lib/deep/newer', { size: 3 }))
    expect(cursorOn(app, 'newer')).toBe(true)
    await app.press('k')
    await tell(change('A', 'etc/last', { size: 3 }))
    expect(cursorOn(app, 'last')).toBe(false)
  })
})

function lineWith(app: Mounted, text: string): string {
  return app.line(app.find(text).y)
}

function cursorOn(app: Mounted, text: string): boolean {
  const { x, y } = app.find(text)
  return app.style(x, y).includes('inverse')
}
