/** The native store and the engines take each other's images, and nothing of an image changes on the way. */
import { execFileSync } from 'node:child_process'
import { createWriteStream, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { nativeImages, openStoreImage } from '../../src/engine/native/images.ts'
import { loadImage } from '../../src/engine/native/load.ts'
import { layerRoom } from '../../src/engine/native/room.ts'
import { type Saved, saveDockerArchive, saveOciArchive, saveOciLayout } from '../../src/engine/native/save.ts'
import { engineResolver } from '../../src/engine/resolve.ts'
import { parseImageName } from '../../src/image/image-name.ts'
import { type Places, placesOf } from '../../src/runtime/places.ts'
import { storeFolder, workplace } from '../../src/runtime/store/folder.ts'
import { keptName } from '../../src/runtime/store/names.ts'
import { findLocalStores, openFromStores } from '../../src/source/local-stores.ts'
import { openImage, openImages } from '../../src/source/open.ts'
import type { Image } from '../../src/source/types.ts'
import { command } from '../harness/command.ts'
import { buildImage, importBusybox } from '../harness/engine-images.ts'
import { startDocker, startPodman, type TestEngine } from '../harness/engines.ts'
import { expectSameImage } from '../harness/same-image.ts'

/** Files, links, devices, odd owners and modes; deleted, rewritten, made opaque, and a hard link to a lower layer's file. */
const dockerfile = `FROM busybox:test
RUN mkdir -p /d/sub /gone && echo hello > /d/a && echo world > /d/sub/b && ln /d/a /d/hard && ln -s ../etc/passwd /d/sym
RUN dd if=/dev/zero of=/d/zeros bs=1k count=300 && mkfifo /d/fifo && chmod 4755 /d/a && chown 5:6 /d/sub
RUN rm -rf /d/sub /gone && mkdir /d/sub && echo again > /d/sub/c && ln /d/zeros /d/more
RUN true
CMD ["sh"]
`

const settings = [
  ['docker', () => startDocker(), 'classic'],
  ['docker with vfs', () => startDocker({ driver: 'vfs' }), 'buildkit'],
  ['podman', () => startPodman(), 'podman'],
] as const

describe.each(settings)('%s', (engineName, start, builder) => {
  let engine: TestEngine
  let own = 0
  const image = engineName === 'podman' ? 'localhost/app:1' : 'app:1'

  beforeAll(async () => {
    engine = await start()
    await importBusybox(engine)
    await buildImage(engine, { tag: 'app:1', builder, dockerfile })
  })
  afterAll(() => engine?.stop())

  /** A store of its own. */
  const newStore = (): Places => placesOf({ STRATA_ROOT: join(engine.scratch.path, `strata-${own++}`) }, '/', true)

  const around = () => ({ env: engine.env, home: engine.scratch.path, uid: 0 })

  async function fromEngine(): Promise<Image> {
    const stores = findLocalStores(around(), [
      {
        engine: engineName === 'podman' ? 'podman' : 'docker',
        root: engine.dataRoot,
        driver: null,
        containerdStore: false,
      },
    ])
    const options = { reference: image, platform: null, cacheFolder: null }
    const opened = (await openFromStores(parseImageName(image), { ...options, stores: stores.slice(0, 1) }))!
    onTestFinished(() => opened.close())
    return opened
  }

  async function saved(...args: string[]): Promise<string> {
    const path = join(engine.scratch.path, `saved-${own++}.tar`)
    await engine.cli('save', ...args, '-o', path, image)
    return path
  }

  async function stored(places: Places): Promise<Image> {
    const opened = (await openStoreImage(image, places, { cache: false }))!
    onTestFinished(() => opened.close())
    return opened
  }

  async function load(from: Image, places: Places): Promise<Saved> {
    const { id } = await loadImage(from, [keptName(image)], { places })
    return { image: nativeImages(places).find(one => one.id === id)!, places, names: [keptName(image)] }
  }

  async function write(how: typeof saveDockerArchive, what: Saved): Promise<string> {
    const path = join(engine.scratch.path, `ours-${own++}.tar`)
    const place = await workplace(storeFolder(what.places))
    const to = createWriteStream(path)
    await how([what], to, { place })
    await finished(to.end())
    await place.leave()
    return path
  }

  test('an archive that it saves is the same image in the store', async () => {
    const places = newStore()
    const { images, close } = await openImages(await saved(), { cache: false })
    onTestFinished(close)
    await load(images[0], places)
    await expectSameImage(await stored(places), images[0])
  })

  test('its own store hands the layers out bit by bit', async () => {
    const places = newStore()
    const theirs = await fromEngine()
    await load(theirs, places)
    const ours = await stored(places)
    await expectSameImage(ours, await openClosed(await saved()))
    expect(ours.source).toBe('strata-store')
  })

  test('what it exports is the same image in the store', async () => {
    const places = newStore()
    const host = `unix://${engine.socket}`
    const env = engineName === 'podman' ? { CONTAINER_HOST: host } : { DOCKER_HOST: host }
    const nothing = { env, home: '/nonexistent', uid: 0, root: '/nonexistent' }
    const exported = await openImage(image, {
      engines: engineResolver(nothing, { stores: false }),
      needContent: true,
      cache: false,
    })
    onTestFinished(() => exported.close())
    await load(exported, places)
    await expectSameImage(await stored(places), await openClosed(await saved()))
  })

  test('takes back what we save, with the same id and name', async () => {
    const what = await load(await openClosed(await saved()), newStore())
    const path = await write(saveDockerArchive, what)
    const id = await idOf()
    await engine.cli('rmi', '-f', image)
    await engine.cli('load', '-i', path)
    expect(await idOf()).toBe(id)
  })

  // Docker's classic store takes docker-archives only.
  const takesOci = engineName === 'podman' ? test : null
  takesOci?.('takes back an OCI archive of ours, with the same manifest', async () => {
    const what = await load(await openClosed(await saved('--format', 'oci-archive')), newStore())
    const path = await write(saveOciArchive, what)
    await engine.cli('rmi', '-f', image)
    await engine.cli('load', '-i', path)
    expect(await engine.cli('image', 'inspect', '--format', '{{.Digest}}', image)).toBe(what.image.manifest)
  })

  test('skopeo reads every format, and its digests are ours', async () => {
    const what = await load(await fromEngine(), newStore())
    const layout = join(engine.scratch.path, `layout-${own++}`)
    const place = await workplace(storeFolder(what.places))
    await saveOciLayout([what], layout, { place })
    await place.leave()
    const docker = await write(saveDockerArchive, what)
    const oci = await write(saveOciArchive, what)
    for (const from of [`docker-archive:${docker}`, `oci-archive:${oci}`, `oci:${layout}`]) {
      const config = execFileSync('skopeo', ['inspect', '--config', '--raw', from])
      expect(sha256(config), from).toBe(what.image.id)
      const copy = join(engine.scratch.path, `copy-${own++}`)
      execFileSync('skopeo', ['copy', '--insecure-policy', '-q', from, `dir:${copy}`])
      const layers = JSON.parse(execFileSync('cat', [join(copy, 'manifest.json')]).toString()).layers
      expect(layers).toHaveLength(what.image.layers.length)
    }
    expect(sha256(execFileSync('skopeo', ['inspect', '--raw', `oci:${layout}`]))).toBe(what.image.manifest)
  })

  test('what we unpack is, laid over each other, what it has unpacked and what umoci unpacks', async () => {
    const what = await load(await fromEngine(), newStore())
    const ours = await stored(what.places)
    const room = await layerRoom(ours, ours.layers.length - 1, {
      places: what.places,
      surroundings: { env: {}, home: '/nonexistent', uid: 0, root: '/nonexistent' },
    })
    onTestFinished(() => room.release())
    expect(room.from).toBe('store')
    const mine = await merged(room.lower)
    expect(mine.length).toBeGreaterThan(250)

    const layout = join(engine.scratch.path, `layout-${own++}`)
    const place = await workplace(storeFolder(what.places))
    await saveOciLayout([{ ...what, names: ['x'] }], layout, { place })
    await place.leave()
    const bundle = join(engine.scratch.path, `bundle-${own++}`)
    execFileSync('umoci', ['unpack', '--image', `${layout}:x`, bundle], { stdio: 'pipe' })
    // A name that a layer has replaced still counts among the links of the lower file in an overlay.
    const uncounted = (lines: string[]) => lines.map(line => line.replace(/\|\d+\|(?=[0-9a-f]{64} )/, '|'))
    expect(uncounted(mine)).toEqual(uncounted(listing(join(bundle, 'rootfs'))))

    if (engineName === 'docker with vfs') return
    const surroundings = { env: { ...engine.env }, home: engine.scratch.path, uid: 0 }
    const theirs = await layerRoom(await fromEngine(), ours.layers.length - 1, { places: newStore(), surroundings })
    expect(theirs.from).toBe(engineName)
    expect(await merged(theirs.lower)).toEqual(mine)
    expect(readdirSync(engine.scratch.path)).not.toContain(`strata-${own - 1}`)
  })

  const idOf = () => engine.cli('image', 'inspect', '--format', '{{.Id}}', image)

  /** Names, kinds, modes, owners, sizes, times, links, attributes and contents of the stack as the kernel shows it. */
  async function merged(lower: string[]): Promise<string[]> {
    const at = join(engine.scratch.path, `merged-${own++}`)
    mkdirSync(at)
    await command('mount', ['-t', 'overlay', 'overlay', '-o', `ro,lowerdir=${lower.join(':')}`, at])
    try {
      return listing(at)
    } finally {
      await command('umount', [at])
    }
  }
})

async function openClosed(path: string): Promise<Image> {
  const image = await openImage(path, { cache: false })
  onTestFinished(() => image.close())
  return image
}

function listing(root: string): string[] {
  const script = `cd "$1" && find . -mindepth 1 -printf '%P|%y|%m|%U:%G|%T@|%l|' \\( -type f -printf '%s|%n|' -exec sha256sum {} \\; -o -printf '\\n' \\)`
  return execFileSync('sh', ['-c', script, 'sh', root], { maxBuffer: 1 << 26 })
    .toString()
    .split('\n')
    .sort()
}

function sha256(bytes: Uint8Array): string {
  return `sha256:${execFileSync('sha256sum', { input: bytes }).toString().slice(0, 64)}`
}
