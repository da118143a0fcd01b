/** The Images screen: what it shows, what keys do, and that the cursor stays on its image. */
import { describe, expect, it } from 'vitest'
import type { ImageDetail, ImageListing, ImageRow } from '../../../src/actions/image-list.ts'
import { width } from '../../../src/base/text.ts'
import { createImages } from '../../../src/ui/images/images.ts'
import type { Screen } from '../../../src/ui/screen.ts'
import { expectFrame } from '../../harness/frames.ts'
import { type MountOptions, mountScreen } from '../../harness/mount.tsx'

const now = Date.UTC(2026, 0, 2, 3, 4, 5)
const minutes = (count: number) => now - count * 60_000

function image(name: string, more: Partial<ImageRow> = {}): ImageRow {
  const cut = name.lastIndexOf(':')
  const none = name === '<none>'
  const id = `sha256:${Buffer.from(name).toString('hex').repeat(8).slice(0, 64).padEnd(64, '0')}`
  return {
    key: `docker ${name}`,
    reference: `docker-daemon:${name}`,
    repository: none ? null : name.slice(0, cut),
    tag: none ? null : name.slice(cut + 1),
    engine: 'docker',
    id,
    created: minutes(60),
    size: 160e6,
    unique: 12e6,
    containers: null,
    detail: null,
    ...more,
  }
}

const engines: ImageListing['engines'] = [
  { name: 'docker', version: '28.2.2', state: 'up', reason: null },
  { name: 'podman', version: '5.4.1', state: 'up', reason: null },
]

const rows: ImageRow[] = [
  image('myapp:1', { created: minutes(2), size: 916e6, unique: 412e6 }),
  image('myapp:2'),
  image('node:latest', { created: minutes(24 * 60), size: 904e6, unique: 0 }),
  image('<none>', { engine: 'podman', created: minutes(3 * 24 * 60), size: 146e6, unique: 146e6 }),
  image('registry.example.com:5000/团队/应用程序:稳定版', {
    created: minutes(9 * 24 * 60),
    size: 51_200,
    unique: null,
  }),
  image('evil\x1b[2J\u202ename:v\n1', { created: null, size: null, unique: null }),
]

const detail: ImageDetail = {
  steps: 10,
  layers: [101e6, 23e6, 1e6, 6e6, 405e6, 6e6, 0, 374e6],
  platform: 'linux/amd64',
  base: { name: 'node:latest', bytes: 904e6 },
  sharedWith: 2,
}

/** The screen over a list that the test can change; `listed` counts how often it was asked for. */
async function shown(listing: ImageListing, options: MountOptions = {}) {
  const source = { listing, listed: 0 }
  const app = await mountScreen(createImages, {
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
      images: {
        async *list() {
          source.listed++
          yield source.listing
        },
        detail: async () => detail,
      },
      completePath: async text => ['./images/', './image.tar'].filter(path => path.startsWith(text)),
    },
  })
  return { ...app, source }
}

const listing: ImageListing = { engines, rows, complete: true }

describe('the list of images', () => {
  it.each([
    [40, 12],
    [60, 20],
    [80, 24],
    [120, 36],
    [200, 60],
  ])('at %ix%i', async (columns, rows) => {
    const app = await shown(listing, { columns, rows })
    if (columns >= 120) await app.until('10 steps')
    await expectFrame(app, 'images/list')
  })

  it.each(['none', '16', 'truecolour'] as const)('in colours: %s', async level => {
    const app = await shown(listing, { columns: 120, rows: 12, level })
    await app.until('10 steps')
    await app.press('space')
    await expectFrame(app, `images/colours-${level}`, { styles: true })
  })

  it('shows a hostile name harmlessly and in its own columns', async () => {
    const app = await shown(listing, { columns: 200 })
    expect(app.text()).toContain('evil\\x1b[2J\\u{202e}name')
    const rules = app.text().split('\n').slice(1, 9)
    expect(new Set(rules.map(rule => width(rule)))).toEqual(new Set([200]))
  })

  it('opens the explorer on the image under the cursor', async () => {
    const app = await shown(listing)
    await app.press('j', 'enter')
    await app.until('exploring docker-daemon:myapp:2')
    await app.press('q')
    await app.until('2 of 6')
  })

  it('keeps the cursor on its image when the list is asked for again', async () => {
    const app = await shown(listing)
    await app.press('j', 'j')
    await app.until('3 of 6')
    app.source.listing = { ...listing, rows: [image('newer:1', { created: minutes(0) }), ...rows] }
    await app.press('ctrl-r')
    await app.until('4 of 7')
    expect(app.style(5, app.find('node  ').y)).toContain('inverse')
  })

  it('keeps the cursor on its image when the filter is closed', async () => {
    const app = await shown(listing)
    await app.press('/')
    await app.type('node')
    await app.until('1 of 1')
    await app.press('enter', 'esc')
    await app.until('3 of 6')
  })

  it('moves while the filter is typed', async () => {
    const app = await shown(listing)
    await app.press('/')
    await app.type('myapp')
    await app.press('down')
    await app.until('2 of 2')
    expect(app.line(35)).toContain('filter myapp')
  })

  it('says when nothing matches', async () => {
    const app = await shown(listing)
    await app.press('/')
    await app.type('zzz')
    await app.until('nothing matches the filter')
  })

  it('sorts by what is chosen, the other way round when it is chosen again, the cursor on its image', async () => {
    const app = await shown(listing)
    const names = () => [...app.text().matchAll(/^│[▸ ][ ●] (\S+)/gm)].map(match => match[1]).slice(1)
    await app.press('o', 's')
    await app.until(() => names()[1] === 'node')
    expect(names()[0]).toBe('myapp')
    await app.press('o', 's')
    await app.until('5 of 6')
  })

  it('copies the names of what is marked', async () => {
    const app = await shown(listing)
    await app.press('space', 'space')
    await app.until('2 marked')
    app.written()
    await app.press('y')
    await app.until('copied 2 names')
    const copied = Buffer.from('docker-daemon:myapp:1\ndocker-daemon:myapp:2').toString('base64')
    expect(app.written()).toContain(`\x1b]52;c;${copied}\x07`)
  })

  it('shows what is known while engines are asked', async () => {
    const asking: ImageListing['engines'] = [
      engines[0]!,
      { name: 'podman', version: null, state: 'asking', reason: null },
    ]
    const app = await shown({ engines: asking, rows: rows.slice(0, 1), complete: false })
    expect(app.line(0)).toContain('docker 28.2 ● · podman …')
  })
})

describe('a machine without images', () => {
  const none: ImageListing = {
    engines: [{ name: 'docker', version: null, state: 'down', reason: 'nothing listens on /var/run/docker.sock' }],
    rows: [],
    complete: true,
  }

  it.each([
    [40, 12],
    [80, 24],
  ])('shows three ways on at %ix%i', async (columns, rows) => {
    const app = await shown(none, { columns, rows })
    await expectFrame(app, 'images/empty')
  })

  it('opens the sample', async () => {
    const app = await shown(none)
    await app.press('b')
    await app.until('exploring sample')
  })

  it('opens an archive by its path, which tab goes on with', async () => {
    const app = await shown(none)
    await app.press('a')
    await app.type('./im')
    await app.press('tab')
    await app.until('open ./image')
    await app.press('tab')
    await app.until('images/  image.tar')
    await app.type('.tar')
    await app.press('enter')
    await app.until('exploring ./image.tar')
  })
})
