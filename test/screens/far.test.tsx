/** Images that stay in their registry: what is read of them when, and the dialog that looks or pulls. */
import { describe, expect, it } from 'vitest'
import type { Offer, PullProgress, RegistryService } from '../../src/actions/registry-service.ts'
import { Fault } from '../../src/base/errors.ts'
import type { Far, LayerPlace } from '../../src/source/remote/far.ts'
import type { Image } from '../../src/source/types.ts'
import { createExplorer } from '../../src/ui/explorer/explorer.ts'
import { createImages } from '../../src/ui/images/images.ts'
import type { Screen } from '../../src/ui/screen.ts'
import { expectFrame } from '../harness/frames.ts'
import { type Mounted, type MountOptions, mountScreen } from '../harness/mount.tsx'
import { classicImage } from './explorer-images.ts'

const sizes = [
  [60, 20],
  [120, 36],
] as const

interface FarImage {
  image: Image
  /** Layers that were read, in order. */
  read: number[]
}

/** An image whose layers are of these sizes in the registry; `toc`: those that carry a table of contents. */
function farImage(sizes: number[], { toc = [] as number[], here = [] as (LayerPlace | null)[] } = {}): FarImage {
  const image = classicImage({ names: ['registry.example.com/team/app:1'] })
  const read: number[] = []
  let transferred = 0
  const cost = (layer: number) => (read.includes(layer) ? 0 : toc.includes(layer) ? 120_000 : sizes[layer]!)
  const far: Far = {
    registry: 'registry.example.com',
    toc: layer => (toc.includes(layer) ? 'estargz' : null),
    cost,
    contentCost: layer => (read.includes(layer) ? 0 : sizes[layer]!),
    transferred: () => transferred,
    here: () => image.layers.map((_, layer) => here[layer] ?? null),
  }
  const layers = image.layers.map((info, layer) => ({ ...info, compressed: sizes[layer]!, roughBytes: sizes[layer]! }))
  return {
    read,
    image: {
      ...image,
      layers,
      far,
      async indexLayer(layer, work) {
        const index = await image.indexLayer(layer, work)
        transferred += cost(layer)
        read.push(layer)
        return index
      },
    },
  }
}

async function explore(far: FarImage, options: MountOptions = {}): Promise<Mounted> {
  const app = await mountScreen(ui => createExplorer(ui, 'docker://registry.example.com/team/app:1'), {
    level: 'none',
    services: { open: async () => far.image },
    ...options,
  })
  return still(app)
}

async function still(app: Mounted): Promise<Mounted> {
  for (let same = 0, before = ''; same < 5; same++) {
    await app.settled()
    if (app.text() !== before) same = 0
    before = app.text()
  }
  return app
}

const large = () => {
  const { layers } = classicImage()
  return layers.map((_, layer) => (layer === 0 ? 412e6 : 30e6 + layer * 7e6))
}

describe.each(sizes)('%ix%i', (columns, rows) => {
  it('a large image: nothing is read before it is asked for', async () => {
    const far = farImage(large(), { here: ['native', 'docker'] })
    const app = await explore(far, { columns, rows })
    expect(far.read).toEqual([])
    await expectFrame(app, 'explorer/far-unread')
  })

  it('read up to a step, with others above it', async () => {
    const far = farImage(large())
    const app = await explore(far, { columns, rows })
    await app.press('g', 'enter')
    await still(app)
    expect(far.read).toEqual([0])
    await app.press('J', 'J')
    await expectFrame(await still(app), 'explorer/far-partly')
  })

  it('layers with a table of contents are there at once', async () => {
    const sizes = large()
    const far = farImage(sizes, { toc: [...sizes.keys()] })
    const app = await explore(far, { columns, rows })
    expect(far.read.toSorted()).toEqual([...sizes.keys()].toSorted())
    await expectFrame(app, 'explorer/far-toc')
  })
})

describe('what is read when', () => {
  it('a small image is read without being asked for', async () => {
    const sizes = large().map(() => 2e6)
    const far = farImage(sizes)
    await explore(far)
    expect(far.read).toHaveLength(sizes.length)
  })

  it('enter reads up to the step under the cursor, r reads all', async () => {
    const far = farImage(large())
    const app = await explore(far)
    await app.press('g', 'j', 'enter')
    await still(app)
    expect(far.read.toSorted()).toEqual([0, 1])
    await app.press('tab', 'r')
    await still(app)
    expect(new Set(far.read).size).toBe(far.image.layers.length)
  })

  it('enter reads from the pane of the tree, too', async () => {
    const far = farImage(large())
    const app = await explore(far)
    await app.press('tab', 'enter')
    await still(app)
    expect(new Set(far.read).size).toBe(far.image.layers.length)
  })

  it('no file of a layer that would have to come is read for the names of owners', async () => {
    const far = farImage(large())
    far.image.far!.contentCost = () => 412e6
    const readFile = () => {
      throw new Error('read a file')
    }
    const app = await explore({ ...far, image: { ...far.image, readFile } })
    await app.press('g', 'enter')
    expect((await still(app)).text()).toContain('motd')
  })
})

const found: Offer = {
  reference: 'docker://registry.example.com/team/app:1',
  name: 'registry.example.com/team/app:1',
  layers: 9,
  bytes: 904e6,
  pull: { layers: 3, bytes: 211e6 },
  look: { bytes: 12e3, whole: 0 },
  elsewhere: { engine: 'docker', layers: 6 },
}

async function images(registry: Partial<RegistryService>, options: MountOptions = {}) {
  return mountScreen(createImages, {
    level: 'none',
    ...options,
    explorer: (ui, reference): Screen => ({
      id: 'explorer',
      title: () => reference,
      scopes: () => [],
      actions: [],
      draw: () => [`exploring ${reference}`.padEnd(ui.size().columns)],
      subscribe: () => () => {},
    }),
    services: {
      ...options.services,
      registry: {
        complete: async () => ['registry.example.com/team/app:1', 'registry.example.com/team/app:2'],
        offer: async () => found,
        pull: () => new Promise(() => {}),
        ...registry,
      },
    },
  })
}

async function asked(app: Mounted): Promise<void> {
  await app.press('p')
  await app.type('reg')
  await app.press('tab')
  await app.until('team/app:')
  await app.type('1')
  await app.press('enter')
}

describe('p on the images', () => {
  it.each(sizes)('says what looking and pulling would bring, at %ix%i', async (columns, rows) => {
    const app = await images({}, { columns, rows })
    await asked(app)
    await app.until('Look')
    await expectFrame(app, 'images/offer')
  })

  it('looks', async () => {
    const app = await images({})
    await asked(app)
    await app.until('Look')
    await app.press('enter')
    await app.until('exploring docker://registry.example.com/team/app:1')
  })

  it('says why an image can not be had', async () => {
    const app = await images({ offer: () => Promise.reject(new Fault('There is no such image there.')) })
    await asked(app)
    await app.until('There is no such image there.')
  })

  it.each(sizes)('pulls layer by layer, at %ix%i', async (columns, rows) => {
    const app = await images({ pull: async (_, { progress }) => pulling(progress) }, { columns, rows })
    await asked(app)
    await app.until('Look')
    await app.press('p')
    await app.until('Downloading')
    await expectFrame(app, 'images/pulling')
  })

  it('esc cancels the pull', async () => {
    let given: AbortSignal | null = null
    const app = await images({
      pull(_, { progress, signal }) {
        given = signal
        return pulling(progress)
      },
    })
    await asked(app)
    await app.until('Look')
    await app.press('p')
    await app.until('Downloading')
    app.press('esc')
    await app.until('No images here yet')
    expect(given!.aborted).toBe(true)
  })

  it('goes to the image when it is there', async () => {
    const row = (name: string) => ({
      key: `native ${name}`,
      reference: `strata:${name}`,
      repository: name,
      tag: '1',
      engine: 'native',
      id: `sha256:${'0'.repeat(64)}`,
      created: null,
      size: 5,
      unique: 5,
      containers: 0,
      detail: { steps: 1, layers: [5], platform: 'linux/amd64', base: null, sharedWith: null },
    })
    const rows = [row('aaa')]
    const app = await images(
      {
        async pull() {
          rows.push(row('zzz'))
          return { key: 'native zzz' }
        },
      },
      {
        services: {
          images: {
            async *list() {
              yield { engines: [], rows: [...rows], complete: true }
            },
            detail: () => Promise.reject(new Error('none')),
          },
        },
      },
    )
    await asked(app)
    await app.until('Look')
    await app.press('p')
    await app.until('2 of 2')
    expect(app.text()).toContain('pulled registry.example.com/team/app:1')
  })
})

function pulling(progress: (of: PullProgress) => void): Promise<never> {
  const layer = (digit: string) => `sha256:${digit.repeat(64)}`
  progress({ layer: layer('1'), done: 0, total: 101e6, doing: 'Already exists', over: true })
  progress({ layer: layer('2'), done: 34.7e6, total: 34.7e6, doing: 'Pull complete', over: true })
  progress({ layer: layer('3'), done: 16.8e6, total: 412e6, doing: 'Downloading', over: false })
  progress({ layer: layer('4'), done: 0, total: 22.7e6, doing: 'Waiting', over: false })
  return new Promise(() => {})
}
