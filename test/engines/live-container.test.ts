/** A container of a real Docker as its image with one more layer: watched in its directory, and asked for over the API. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Engine, openEngine } from '../../src/engine/engine.ts'
import { openEngineImage } from '../../src/engine/engine-image.ts'
import { describeChanges, exportLayer } from '../../src/engine/export-layer.ts'
import { containerChanges, openContainer } from '../../src/engine/live-container.ts'
import { Stack } from '../../src/layer/stack.ts'
import { asDockerfile } from '../../src/live/as-dockerfile.ts'
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
      await inside('live', 'mkdir /made && echo hello > /made/a && head -c 9000000 /dev/zero > /made/b && rm /bin/vi')
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
      expect(await content(image, 'made/a')).toBe('hello\n')
    } finally {
      await image.close()
    }
  })

  /** What a person may do to a container. */
  const deeds = [
    'touch -d @1000 /bin/ash && chmod 4711 /bin/ash && chown 12:34 /bin/wc && rm /bin/cat && echo new > /bin/tail.conf',
    'mkdir -p /made/deep && chmod 1700 /made && echo hello > /made/deep/a && ln /made/deep/a /made/hard && ln -s ../x /made/soft',
    'touch /made/none && chmod 0 /made/none && mkfifo /made/pipe && printf %s "$(seq 2000)" > /made/big && rm -r /var/log',
    'rm -r /root && echo a-file-now > /root && mv /bin/vi /bin/ed2 && mkdir "/odd name" && echo y > "/odd name/[x] \\$HOME"',
  ]

  test.each([true, false])('the exported layer on its image is the container (directory read: %s)', async local => {
    const name = `exported-${local}`
    await run(name)
    for (const deed of deeds) await inside(name, deed)
    const capabilities = { ...engine.containers.capabilities, local }
    const from = { ...engine, containers: { ...engine.containers, capabilities } }
    const { chunks, asked } = await exportLayer(from, name, new AbortController().signal)
    expect(asked).toBe(!local)
    const layer: Uint8Array[] = []
    for await (const chunk of chunks) layer.push(chunk)
    const folder = real.scratch.folder(name)
    const archive = join(folder, 'image.tar')
    await real.cli('save', '-o', archive, 'busybox:test')
    await addLayer(archive, Buffer.concat(layer), `${name}:again`)
    await real.cli('load', '-i', archive)
    await real.cli('create', '--name', `${name}-again`, `${name}:again`)
    const listing = async (which: string) => {
      const tarball = join(folder, `${which}.tar`)
      await real.cli('export', '-o', tarball, which)
      const text = await command('tar', ['--numeric-owner', '--full-time', '-tvf', tarball])
      // Directories' times are those of the export's own mount points; the engine writes these files itself.
      const own = /^(?:etc\/(?:hosts|hostname|resolv\.conf|mtab)|dev\/|proc\/|sys\/|\.dockerenv)/
      const lines = text
        .toString()
        .split('\n')
        .map(line => line.replace(/^(d.*?) \d{4}-\S+ \S+ /, '$1 ').replace(/ +/g, ' '))
      return lines
        .filter(
          line =>
            !own.test(
              line
                .split(' ')
                .slice(line.startsWith('d') ? 3 : 5)
                .join(' '),
            ),
        )
        .sort()
    }
    expect(await listing(`${name}-again`)).toEqual(await listing(name))
  })

  test('the Dockerfile lines make about the same of its image', async () => {
    await run('lines')
    await inside(
      'lines',
      'echo port=1 > /etc/app.conf && chmod 600 /etc/app.conf && mkdir -p /opt/app && echo x > /opt/app/x',
    )
    await inside(
      'lines',
      'chown -R 7:8 /opt && rm /bin/vi && ln -s /opt/app /app && chmod 700 /bin/ls 2>/dev/null; echo log > /tmp/log',
    )
    const { changes, ...options } = await describeChanges(engine, 'lines', new AbortController().signal)
    const lines = await asDockerfile(changes, options)
    expect(lines.filter(line => !line.startsWith('#'))).toEqual([
      'FROM busybox:test',
      'RUN rm -rf /bin/vi',
      'COPY files/etc/app.conf /etc/app.conf',
      'COPY --chown=7:8 files/opt/ /opt/',
      'RUN ln -sfn /opt/app /app',
      ...lines.filter(line => /^RUN (?:chown|chmod) /.test(line)),
    ])
    expect(lines.join('\n')).toMatch(/Left out, for they look like logs.*\n# {3}A \/tmp\/log/)
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

/** Puts a layer on the image of a docker archive, under another name. */
async function addLayer(archive: string, layer: Buffer, name: string): Promise<void> {
  const folder = mkdtempSync(`${archive}-`)
  const read = (path: string) => JSON.parse(readFileSync(join(folder, path), 'utf8'))
  try {
    await command('tar', ['-xf', archive, '-C', folder])
    const [manifest] = read('manifest.json')
    const config = read(manifest.Config)
    config.rootfs.diff_ids.push(`sha256:${createHash('sha256').update(layer).digest('hex')}`)
    config.history.push({ created: config.created, created_by: 'the exported layer' })
    writeFileSync(join(folder, 'layer.tar'), layer)
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
    const one = { Config: 'config.json', RepoTags: [name], Layers: [...manifest.Layers, 'layer.tar'] }
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify([one]))
    const files = ['manifest.json', 'config.json', 'layer.tar', ...manifest.Layers]
    await command('tar', ['-cf', archive, '-C', folder, ...files])
  } finally {
    rmSync(folder, { recursive: true })
  }
}
