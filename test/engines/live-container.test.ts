/** A container of a real Docker as its image with one more layer: watched in its directory, and asked for over the API. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Engine, openEngine } from '../../src/engine/engine.ts'
import { openEngineImage } from '../../src/engine/engine-image.ts'
import { containerChanges, openContainer } from '../../src/engine/live-container.ts'
import { Stack } from '../../src/layer/stack.ts'
import type { Image } from '../../src/source/types.ts'
import { command, until } from '../harness/command.ts'
import { importBusybox } from '../harness/engine-images.ts'
import { startDocker, type TestEngine } from '../harness/engines.ts'
import { treeText } from '../harness/stacks.ts'

describe('a container of Docker', () => {
  let real: TestEngine
  let engine: Engine
  beforeAll(async () => {
    real = await startDocker()
    await importBusybox(real)
    const address = { kind: 'unix', path: real.socket } as const
    engine = await openEngine({ name: 'tested', origin: 'test', asked: true, address }, { env: {} })
  })
  afterAll(async () => {
    engine?.close()
    await real?.stop()
  })

  const run = (name: string) => real.cli('run', '-d', '--network=none', '--name', name, 'busybox:test', 'sleep', '1000')
  const inside = (name: string, script: string) => real.cli('exec', name, 'sh', '-c', script)
  const open = (name: string, from: Engine = engine): Promise<Image> =>
    openContainer(from, name, {
      now: () => Date.now(),
      openImage: (facts, work) =>
        openEngineImage(engine, facts.imageId!, { ...work, reference: facts.image, cacheFolder: null, around: null }),
    })
  /** What stands in the container's view of some directories, as the Explorer would lay it. */
  const tree = async (image: Image): Promise<string[]> => {
    const stack = new Stack()
    for (const layer of image.layers.slice(0, -1)) stack.push(await image.indexLayer(layer.index))
    stack.pushLive(image.live!.take())
    return treeText(stack)
      .split('\n')
      .filter(line => /^(?:made|bin\/vi)\b/.test(line))
  }
  const content = async (image: Image, path: string): Promise<string> => {
    const { layer } = image.live!
    const at = [...layer.paths()].findIndex(one => Buffer.from(one.path).toString() === path)
    const chunks: Uint8Array[] = []
    image.live!.take()
    for await (const chunk of image.readFile(image.live!.number, at)) chunks.push(chunk)
    return Buffer.concat(chunks).toString()
  }

  test('its upper layer lies on top of its image, and changes while it changes', async () => {
    await run('live')
    const image = await open('live')
    try {
      await image.indexLayer(image.live!.number)
      expect(image.live!.every()).toBe(null)
      expect(image.steps.at(-1)).toMatchObject({ createdBy: 'live layer', layer: image.live!.number })
      await inside('live', 'mkdir /made && echo hello > /made/a && rm /bin/vi')
      await until(async () => (await tree(image)).includes('made/a 6'))
      expect((await tree(image)).filter(line => line.startsWith('bin/vi'))).toEqual([])
      expect(await content(image, 'made/a')).toBe('hello\n')
      expect(image.live!.layer.totalRate(Date.now())).toBeGreaterThan(0)
      await inside('live', 'rm -r /made')
      await until(async () => (await tree(image)).length === 0)
    } finally {
      await image.close()
    }
  })

  test('what it says is what docker diff says', async () => {
    await run('same')
    const script =
      'touch /bin/sh; chmod 700 /tmp; echo x > /etc/new; rm /bin/ls; mkdir -p /a/b/c; ln -s x /a/link; mv /bin/cat /bin/dog'
    await inside('same', script)
    const judged = (await real.cli('diff', 'same')).split('\n').sort()
    const changes = await containerChanges(engine, 'same')
    expect(changes.map(one => `${one.change} ${one.path}`).sort()).toEqual(judged)
    const image = await open('same')
    await image.indexLayer(image.live!.number)
    const told = [...image.live!.layer.paths()].map(one => `${one.op} /${Buffer.from(one.path).toString()}`)
    await image.close()
    expect(told.sort()).toEqual(judged)
  })

  test('where its directory can not be read the engine is asked, and that is said', async () => {
    await run('polled')
    const capabilities = { ...engine.containers.capabilities, local: false }
    const image = await open('polled', { ...engine, containers: { ...engine.containers, capabilities } })
    try {
      await image.indexLayer(image.live!.number)
      await inside('polled', 'mkdir /made && echo hello > /made/a')
      await until(async () => (await tree(image)).includes('made/a 6'))
      expect(image.live!.every()).toBeGreaterThanOrEqual(1000)
      const content = image.readFile(image.live!.number, 0)[Symbol.asyncIterator]()
      await expect(content.next()).rejects.toThrow('can not be read from here')
    } finally {
      await image.close()
    }
  })

  test('a container that goes says so, and what it was stays to be looked at', async () => {
    await run('gone')
    await inside('gone', 'echo x > /made')
    const image = await open('gone')
    try {
      await image.indexLayer(image.live!.number)
      await real.cli('rm', '-f', 'gone')
      await until(() => image.live!.notice() !== null)
      expect(image.live!.notice()).toMatch(/gone|any more/)
    } finally {
      await image.close()
    }
    const helpers = await command('sh', ['-c', "ps -eo args | grep '[s]trata-native watch' || true"])
    expect(helpers).not.toContain(real.socket)
  })
})
