/** Docker with containerd's image store and the native store: each other's images, and the layers where they lie. */
import { execFileSync } from 'node:child_process'
import { createWriteStream, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { nativeImages, openStoreImage } from '../../src/engine/native/images.ts'
import { loadImage } from '../../src/engine/native/load.ts'
import { layerRoom } from '../../src/engine/native/room.ts'
import { saveDockerArchive, saveOciArchive } from '../../src/engine/native/save.ts'
import { parseImageName } from '../../src/image/image-name.ts'
import { placesOf } from '../../src/runtime/places.ts'
import { storeFolder, workplace } from '../../src/runtime/store/folder.ts'
import { openContainerdStore } from '../../src/source/containerd-store.ts'
import type { StoreLocation } from '../../src/source/store-types.ts'
import type { Image } from '../../src/source/types.ts'
import { buildImage, importBusybox } from '../harness/engine-images.ts'
import { startDocker, type TestEngine } from '../harness/engines.ts'
import { newerRoot } from '../harness/newer-roots.ts'
import { expectSameImage } from '../harness/same-image.ts'

const dockerfile = `FROM busybox:test
RUN mkdir -p /d/sub && echo hello > /d/a && echo world > /d/sub/b && ln /d/a /d/hard
RUN rm -rf /d/sub && mkdir /d/sub && echo again > /d/sub/c
CMD ["sh"]
`

describe('Docker 28 with containerd’s image store', () => {
  let docker: TestEngine
  let location: StoreLocation

  beforeAll(async () => {
    docker = await startDocker({ root: await newerRoot('sid'), driver: 'containerd' })
    location = { kind: 'containerd-store', root: join(docker.dataRoot, 'containerd/daemon'), driver: null, also: [] }
    await importBusybox(docker)
    await buildImage(docker, { tag: 'app:1', builder: 'buildkit', dockerfile })
  })
  afterAll(() => docker?.stop())

  async function theirs(): Promise<Image> {
    const options = { reference: 'app:1', platform: null, cacheFolder: null }
    const { image } = await openContainerdStore(location, parseImageName('app:1'), options)
    onTestFinished(() => image!.close())
    return image!
  }

  test('its images come into the store with their manifests, and go back', async () => {
    const image = await theirs()
    const places = placesOf({ STRATA_ROOT: join(docker.scratch.path, 'strata') }, '/', true)
    const { id } = await loadImage(image, ['docker.io/library/app:1'], { places })
    const kept = nativeImages(places)[0]!
    expect([id, kept.manifest]).toEqual([image.id, image.digest])
    const ours = (await openStoreImage('app:1', places, { cache: false }))!
    onTestFinished(() => ours.close())
    await expectSameImage(ours, image)
    for (const [write, shown] of [
      [saveDockerArchive, null],
      [saveOciArchive, kept.manifest],
    ] as const) {
      const path = join(docker.scratch.path, `${write.name}.tar`)
      const place = await workplace(storeFolder(places))
      const to = createWriteStream(path)
      await write([{ image: kept, places, names: ['docker.io/library/app:back'] }], to, { place })
      await finished(to.end())
      await place.leave()
      await docker.cli('load', '-i', path)
      const back = JSON.parse(await docker.cli('image', 'inspect', 'app:back'))[0]
      expect(back.RootFS.Layers).toEqual(image.layers.map(layer => layer.diffId))
      if (shown !== null) expect(back.Id).toBe(shown)
      await docker.cli('rmi', 'app:back')
    }
  })

  test('its layers serve where they lie', async () => {
    const image = await theirs()
    const surroundings = { env: {}, home: '/nonexistent', uid: 0, root: '/nonexistent' }
    const options = (name: string, uid: number | null) => ({
      places: placesOf({ STRATA_ROOT: join(docker.scratch.path, name) }, '/', true),
      surroundings: { ...surroundings, uid },
    })
    const [room, unpacked] = [
      await layerRoom(image, image.layers.length - 1, options('none', 0)),
      await layerRoom(image, image.layers.length - 1, options('own', null)),
    ]
    onTestFinished(() => unpacked.release())
    expect([room.from, unpacked.from]).toEqual(['containerd', 'store'])
    expect(merged(room.lower, 'theirs')).toEqual(merged(unpacked.lower, 'ours'))
  })

  function merged(lower: string[], name: string): string[] {
    const at = join(docker.scratch.path, name)
    mkdirSync(at)
    execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', `ro,lowerdir=${lower.join(':')}`, at])
    try {
      const script = `cd "$1" && find . -mindepth 1 -printf '%P|%y|%m|%U:%G|%T@|%l\\n' && find . -type f -exec sha256sum {} +`
      return execFileSync('sh', ['-c', script, 'sh', at]).toString().split('\n').sort()
    } finally {
      execFileSync('umount', [at])
    }
  }
})
