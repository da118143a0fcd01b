/** What every engine has to answer through the one interface, whatever its kind, version and store. Their own command lines are the judges. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type Engine, openEngine } from '../../src/engine/engine.ts'
import { ancestry, inferHistory, stepImages } from '../../src/engine/history.ts'
import { engineResolver } from '../../src/engine/resolve.ts'
import type { LayerIndex } from '../../src/layer/layer-index.ts'
import { pathOf } from '../../src/layer/path-tree.ts'
import { openImage } from '../../src/source/open.ts'
import type { Image } from '../../src/source/types.ts'
import { type Builder, buildImage, importBusybox } from './engine-images.ts'
import type { TestEngine } from './engines.ts'

/** Every kind of step, with and without a layer, with and without bytes. */
const dockerfile = `FROM busybox:test
ENV A=1
COPY a /a
RUN echo hi > /b && rm /a
RUN true
WORKDIR /new
RUN rm -f /bin/ls
LABEL x=y
CMD ["x"]
`

export interface Setting {
  name: string
  start: () => Promise<TestEngine>
  builders: Builder[]
  /** Whether it keeps images in containerd. */
  containerd?: boolean
}

/** Starts the engine, builds the same image with each builder, and asks for everything. */
export function describeEngine({ name, start, builders, containerd = false }: Setting): void {
  describe(name, () => {
    let real: TestEngine
    let engine: Engine

    beforeAll(async () => {
      real = await start()
      await importBusybox(real)
      for (const builder of builders)
        await buildImage(real, { tag: `app:${builder}`, builder, dockerfile, files: { a: 'hello' } })
      engine = await openEngine(
        { name: 'tested', origin: 'test', asked: true, address: { kind: 'unix', path: real.socket } },
        { env: {} },
      )
    })

    afterAll(async () => {
      engine?.close()
      await real?.stop()
    })

    test('lists the images that its own command line lists', async () => {
      const images = await engine.images()
      const listed = (await real.cli('images', '--no-trunc', '--format', '{{.Repository}}:{{.Tag}} {{.ID}}'))
        .split('\n')
        .sort()
      expect(images.map(image => `${image.names[0]} ${image.id}`).sort()).toEqual(listed)
      for (const image of images) expect(image.size).toBeGreaterThan(1_000_000)
      const app = images.find(image => image.names[0]?.includes('app:'))
      expect(app?.labels.x).toBe('y')
      expect(app?.created).toBeGreaterThan(1_700_000_000)
    })

    test('says who it is', async () => {
      const info = await engine.info()
      expect(engine.kind).toBe(builders.includes('podman') ? 'podman' : 'docker')
      expect(engine.version).toBe(info.version)
      expect(info.root).toBe(real.dataRoot)
      expect(info.containerdStore).toBe(containerd)
      expect(await engine.health()).toBe(null)
    })

    test('tells of its disk: every layer once, with who needs it and its size', async () => {
      const { layers, images, layerBytes, unknown } = await engine.storage.usage()
      const [base] = layers
      expect([base?.images.length, base?.bytes]).toEqual([images.length, expect.any(Number)])
      expect(layers.filter(one => one.kind === 'layer' && one.bytes === null)).toEqual([])
      // containerd keeps compressed layers besides, and does not tell who shares them.
      expect(unknown.length > 0).toBe(containerd)
      const sum = layers.reduce((sum, one) => sum + (one.bytes ?? 0), 0)
      if (layerBytes !== null && !containerd) expect(Math.abs(layerBytes - sum)).toBeLessThan(65_536)
    })

    test.each(builders)('inspects what the %s builder made', async builder => {
      const facts = await engine.inspect(`app:${builder}`)
      const judge = JSON.parse(await real.cli('image', 'inspect', `app:${builder}`))[0]
      expect(facts.id.replace('sha256:', '')).toBe(judge.Id.replace('sha256:', ''))
      expect(facts.diffIds).toEqual(judge.RootFS.Layers)
      expect(facts.config).toMatchObject({ Cmd: ['x'], WorkingDir: '/new' })
      expect([facts.os, facts.architecture]).toEqual([judge.Os, judge.Architecture])
    })

    test.each(builders)('the history of the %s builder, its layers told from its rows', async builder => {
      const rows = await engine.history(`app:${builder}`)
      const facts = await engine.inspect(`app:${builder}`)
      const { lines, sure } = inferHistory(rows, facts.diffIds.length, await layersAt(rows.map(row => row.imageId)))
      const truth = rawConfig(await exported(engine, `app:${builder}`)).history as {
        empty_layer?: boolean
        created_by?: string
      }[]
      expect(sure).toBe(true)
      expect(lines.map(line => line.emptyLayer)).toEqual(truth.map(line => line.empty_layer === true))
      expect(lines.map(line => line.createdBy)).toEqual(truth.map(line => line.created_by ?? ''))
    })

    test.each(builders)('the steps of the %s builder that are images of their own', async builder => {
      const rows = await engine.history(`app:${builder}`)
      const facts = await engine.inspect(`app:${builder}`)
      const chain = ancestry(facts.id, await engine.images({ all: true }))
      const ids = stepImages(engine.kind, rows, chain)
      expect(ids.at(-1)).toBe(facts.id)
      expect(ids.filter(id => id !== null)).toHaveLength(builder === 'buildkit' ? 1 : rows.length)
      for (const [at, id] of ids.entries()) {
        if (id !== null) expect(await engine.history(id)).toHaveLength(at + 1)
      }
    })

    test('an export is the tar that its own command line saves', async () => {
      const bytes = await exported(engine, `app:${builders[0]}`)
      const names = execFileSync('tar', ['-t'], { input: bytes }).toString().split('\n')
      expect(names).toContain('manifest.json')
      const config = rawConfig(bytes)
      expect((config.rootfs as { diff_ids: string[] }).diff_ids).toEqual(
        (await engine.inspect(`app:${builders[0]}`)).diffIds,
      )
    })

    test('two images in one export', async () => {
      const { stream } = await engine.save([`app:${builders[0]}`, 'busybox:test'])
      const chunks: Uint8Array[] = []
      for await (const chunk of stream) chunks.push(chunk)
      const manifest = JSON.parse(
        execFileSync('tar', ['-xO', 'manifest.json'], { input: Buffer.concat(chunks) }).toString(),
      )
      expect(manifest.map((one: { RepoTags: string[] }) => one.RepoTags[0]?.replace('localhost/', '')).sort()).toEqual([
        `app:${builders[0]}`,
        'busybox:test',
      ])
    })

    test('an export that is stopped leaves the engine answering', async () => {
      const { stream, abort } = await engine.save([`app:${builders[0]}`])
      abort()
      await expect(
        (async () => {
          for await (const _ of stream);
        })(),
      ).rejects.toMatchObject({ name: 'AbortError' })
      expect(await engine.health()).toBe(null)
    })

    test.each(
      builders,
    )('an image of the %s builder is opened at once and becomes what its export is', async builder => {
      const name = `app:${builder}`
      const cacheDir = real.scratch.folder(`cache-${builder}`)
      const archive = await inArchive(name, builder)
      const image = await opened(name, cacheDir)
      expect(image.source).toBe(engine.kind === 'podman' ? 'podman-save' : 'docker-save')
      expect(image.names.map(one => one.replace('localhost/', ''))).toEqual([name])
      expect(outline(image)).toEqual(outline(archive))
      const indexes = await Promise.all(image.layers.map((_, at) => image.indexLayer(at)))
      for (const [at, index] of indexes.entries()) expect(listing(index)).toEqual(listing(await archive.indexLayer(at)))
      expect(image.id).toBe(archive.id)
      expect({ ...image.config, parent: null }).toEqual({ ...archive.config, parent: null })
      expect(image.steps.map(step => ({ ...step, imageId: null }))).toEqual(archive.steps)
      expect(image.steps.at(-1)?.imageId).toBe((await engine.inspect(name)).id)
      expect(image.anomalies).toEqual([])

      const again = await opened(name, cacheDir)
      expect(again.steps).toEqual(image.steps)
      const kept = await Promise.all(again.layers.map((_, at) => again.indexLayer(at)))
      expect(kept.map(listing)).toEqual(indexes.map(listing))
      expect(await contentOf(again, 'a')).toBe('hello')
    })

    test.each(
      builders,
    )('an image of the %s builder is read from the engine’s own store, and is the same', async builder => {
      const name = `app:${builder}`
      const archive = await inArchive(name, `${builder}-store`)
      const image = await opened(name, real.scratch.folder(`store-cache-${builder}`), true)
      expect(image.source).toBe(
        containerd ? 'containerd-store' : engine.kind === 'podman' ? 'containers-storage' : 'docker-store',
      )
      expect(outline(image)).toEqual(outline(archive))
      for (const at of image.layers.keys()) {
        expect(listing(await image.indexLayer(at))).toEqual(listing(await archive.indexLayer(at)))
      }
      expect(image.steps.at(-1)?.imageId).toBe((await engine.inspect(name)).id)
      expect(image.names.map(one => one.replace('localhost/', ''))).toEqual([name])
      expect(await contentOf(image, 'a')).toBe('hello')
    })

    test('the wait for an export can be given up, and begun again', async () => {
      const image = await opened(`app:${builders[0]}`, null)
      const stop = new AbortController()
      const asked = image.indexLayer(0, { signal: stop.signal })
      stop.abort()
      await expect(asked).rejects.toMatchObject({ message: 'Cancelled.', exitCode: 130 })
      expect((await image.indexLayer(image.layers.length - 1)).entries).toBeGreaterThan(0)
    })

    test('what it has not is refused with its own words', async () => {
      await expect(engine.inspect('nope:1')).rejects.toMatchObject({
        status: 404,
        message: expect.stringContaining('nope'),
      })
      await expect(engine.history('nope:1')).rejects.toMatchObject({ message: expect.stringContaining('nope') })
    })

    /** The image as `openImage` finds it by its name, with nothing of this machine around it. */
    async function opened(name: string, cacheDir: string | null, stores = false): Promise<Image> {
      const host = `unix://${real.socket}`
      const env = engine.kind === 'podman' ? { CONTAINER_HOST: host } : { DOCKER_HOST: host }
      const engines = engineResolver({ env, home: '/nonexistent', uid: 0, root: '/nonexistent' }, { stores })
      const image = await openImage(name, { engines, cacheDir })
      onTestFinished(() => image.close())
      return image
    }

    async function inArchive(name: string, builder: string): Promise<Image> {
      const path = join(real.dataRoot, '..', `${builder}.tar`)
      await real.cli('save', '-o', path, name)
      const image = await openImage(path, { cache: false })
      onTestFinished(() => image.close())
      return image
    }

    async function layersAt(ids: (string | null)[]): Promise<(number | null)[]> {
      if (engine.kind === 'podman') return []
      return Promise.all(ids.map(async id => (id === null ? null : (await engine.inspect(id)).diffIds.length)))
    }
  })
}

/** Which steps own which layers. */
function outline(image: Image): unknown {
  return {
    layers: image.layers.map(layer => layer.diffId),
    steps: image.steps.map(step => [step.createdBy || null, step.layer]),
  }
}

/** Every entry of an index as text. */
function listing(index: LayerIndex): string[] {
  return Array.from({ length: index.entries }, (_, at) => {
    const path = Buffer.from(pathOf(index, index.node[at]!)).toString('latin1')
    return [path, index.kind[at], index.mode[at], index.size[at], index.mtime[at], index.offset?.[at]].join(' ')
  })
}

/** The content of the last file of this name. */
async function contentOf(image: Image, name: string): Promise<string> {
  for (const layer of image.layers.keys()) {
    const index = await image.indexLayer(layer)
    const entry = listing(index).findIndex(line => line.startsWith(`${name} 0 `))
    if (entry < 0) continue
    const chunks: Uint8Array[] = []
    for await (const chunk of image.readFile(layer, entry)) chunks.push(chunk)
    return Buffer.concat(chunks).toString()
  }
  throw new Error(`no file ${name}`)
}

async function exported(engine: Engine, name: string): Promise<Buffer> {
  const { stream } = await engine.save([name])
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** The config of the one image of an export. */
function rawConfig(archive: Buffer): Record<string, unknown> {
  const [{ Config }] = JSON.parse(execFileSync('tar', ['-xO', 'manifest.json'], { input: archive }).toString())
  return JSON.parse(execFileSync('tar', ['-xO', Config], { input: archive }).toString())
}
