/** Golden frames of the Explorer: every tab and screen, at every size, as readable text. */
import { describe, it } from 'vitest'
import type { Image } from '../../src/source/types.ts'
import { createExplorer } from '../../src/ui/explorer/explorer.ts'
import { expectFrame } from '../harness/frames.ts'
import { type Mounted, type MountOptions, mountScreen } from '../harness/mount.tsx'
import { classicImage, hostileImage, writtenImage } from './explorer-images.ts'

const sizes = [
  [40, 12],
  [60, 20],
  [80, 24],
  [120, 36],
  [200, 60],
] as const

/** The Explorer on an image, everything read, advice and sentences included. */
async function explorer(options: MountOptions = {}, image: () => Image = () => classicImage()): Promise<Mounted> {
  const app = await mountScreen(ui => createExplorer(ui, 'myapp:1'), {
    level: 'none',
    services: { open: async () => image() },
    ...options,
  })
  await app.until(screen => /\d B|\d [kM]B/.test(screen) && !/~\d/.test(screen))
  return still(app)
}

/** Waits until nothing changes any more: what is made in slices is made. */
async function still(app: Mounted): Promise<Mounted> {
  for (let same = 0, before = ''; same < 5; same++) {
    await app.settled()
    if (app.text() !== before) same = 0
    before = app.text()
  }
  return app
}

describe.each(sizes)('%ix%i', (columns, rows) => {
  const at = (more: MountOptions = {}) => explorer({ columns, rows, ...more })

  it('steps, and the tree of the last one', async () => {
    const app = await at()
    await expectFrame(await still(app), 'explorer/start')
  })

  it('the tree', async () => {
    const app = await at()
    await app.press('tab', 'n', 'n', 'n')
    await expectFrame(await still(app), 'explorer/tree')
  })

  it('the changes', async () => {
    const app = await at()
    await app.press('2', 'j')
    await expectFrame(await still(app), 'explorer/changes')
  })

  it('the waste, with what to do about it', async () => {
    const app = await at()
    await app.press('3', 'G')
    await app.until(/of \d+/)
    await expectFrame(await still(app), 'explorer/waste')
  })

  it('the config as of the last step', async () => {
    const app = await at()
    await app.press('G', '4')
    await expectFrame(await still(app), 'explorer/config')
  })

  it('the Dockerfile, the step standing out', async () => {
    const app = await at()
    await app.press('5')
    await expectFrame(await still(app), 'explorer/dockerfile')
  })

  it('the Dockerfile as it was written, with the lines of the step', async () => {
    const app = await explorer({ columns, rows }, writtenImage)
    await app.press('5')
    await expectFrame(await still(app), 'explorer/dockerfile-written')
  })

  it('a range of steps', async () => {
    const app = await at()
    await app.press('g', 'j', '[', 'j', 'j', 'j', 'tab', 'a')
    await expectFrame(await still(app), 'explorer/range')
  })

  it('a filter that is being typed, and what is wrong with it', async () => {
    const app = await at()
    await app.press('tab', '/')
    await app.type('page-[1-3]* ~ size>soon')
    await expectFrame(await still(app), 'explorer/filter')
  })

  it('sorted by size', async () => {
    const app = await at()
    await app.press('tab')
    await still(app)
    await app.press('t')
    await expectFrame(await still(app), 'explorer/by-size')
  })

  it('everything about a step', async () => {
    const app = await at()
    await app.press('d')
    await expectFrame(await still(app), 'explorer/details')
  })

  it('who touched a file, and how', async () => {
    const app = await at()
    await app.press('tab', '/')
    await app.type('server.js')
    await app.press('enter', 'b')
    await app.until(/process\.env/)
    await expectFrame(await still(app), 'explorer/blame')
  })

  it('a file as text and as bytes', async () => {
    const app = await at()
    await app.press('tab', '/')
    await app.type('server.js')
    await app.press('enter', 'v')
    await app.until(/hello, world/)
    await expectFrame(await still(app), 'explorer/text')
    await app.press('x')
    await expectFrame(await still(app), 'explorer/hex')
  })

  it('what was found in all layers', async () => {
    const app = await at()
    await app.press('F')
    await app.type('l*')
    await app.until(/lock/)
    await app.press('enter')
    await expectFrame(await still(app), 'explorer/find')
  })

  it('names from all over the world, and names that would drive the terminal', async () => {
    const app = await explorer({ columns, rows }, hostileImage)
    await app.press('tab', '+')
    await expectFrame(await still(app), 'explorer/hostile')
  })
})

describe('while layers are read', () => {
  it.each([
    [60, 20],
    [120, 36],
  ])('the first frame at %ix%i comes from the config', async (columns, rows) => {
    const never = new Promise<void>(() => {})
    const gate = async (layer: number, progress: (done: number, total: number) => void) => {
      if (layer === 0) return
      progress(layer * 1000, layer * 4000)
      await never
    }
    const app = await mountScreen(ui => createExplorer(ui, 'myapp:1'), {
      columns,
      rows,
      level: 'none',
      services: { open: async () => classicImage({ gate }) },
    })
    await app.until('25 %')
    await expectFrame(await still(app), 'explorer/reading')
  })

  it('a layer that is broken is shown as such, the rest is usable', async () => {
    const broken = { 1: 'layer 2 is broken: the tar ends within var/lib/apt/lists at byte 4 711 of 4 363 264.' }
    const app = await explorer({ columns: 120, rows: 36 }, () => classicImage({ broken }))
    await app.press('g', 'j')
    await app.until('layer 2 is broken')
    await expectFrame(await still(app), 'explorer/broken')
  })
})

describe('colours', () => {
  it.each(['16', 'truecolour'] as const)('%s', async level => {
    const app = await explorer({ columns: 80, rows: 24, level })
    await app.press('tab', 'n')
    await expectFrame(await still(app), `explorer/colours-${level}`, { styles: true })
  })
})
