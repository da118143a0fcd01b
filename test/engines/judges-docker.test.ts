/**
 * The stack against a real dockerd, with both builders: sizes and commands of the steps against `docker history`, the
 * tree as of each step against `docker export` of a container of it. And the sample: Docker loads it and runs it.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Kind } from '../../src/layer/entry.ts'
import { entryOf } from '../../src/layer/read-entry.ts'
import { Stack } from '../../src/layer/stack.ts'
import { openImage } from '../../src/source/open.ts'
import type { Image } from '../../src/source/types.ts'
import { type Builder, buildImage, importBusybox } from '../harness/engine-images.ts'
import { startDocker, type TestEngine } from '../harness/engines.ts'
import { listingOf } from '../harness/judges.ts'
import { expectLedgerAddsUp, indexOf } from '../harness/stacks.ts'

const dockerfile = `FROM busybox:test
ENV GREETING=hello
RUN mkdir -p /srv/app/cache /srv/turned && echo z > /srv/turned/f && head -c 5000 /dev/zero > /srv/app/a && ln /srv/app/a /srv/app/b && echo x > /srv/app/cache/old
WORKDIR /srv/made
COPY file.txt secret /srv/app/
RUN chmod 700 /srv/app/a && rm /srv/app/secret && mkfifo /srv/pipe
RUN rm -rf /srv/app/cache && mkdir /srv/app/cache && echo y > /srv/app/cache/new
RUN chown -R 1000:1000 /srv/app && touch -d @86400 /srv/app/file.txt
RUN rm -rf /srv/turned && echo file > /srv/turned
LABEL a=b
CMD ["sh"]
`
const files = { 'file.txt': 'some text\n', secret: 'told\n' }

let engine: TestEngine
beforeAll(async () => {
  engine = await startDocker()
  await importBusybox(engine)
})
afterAll(() => engine.stop())

describe.each<Builder>(['classic', 'buildkit'])('an image of the %s builder', builder => {
  const tag = `judged:${builder}`
  let image: Image
  let stack: Stack
  beforeAll(async () => {
    await buildImage(engine, { tag, builder, dockerfile, files })
    const path = join(engine.scratch.path, `${builder}.tar`)
    await engine.cli('save', '-o', path, tag)
    image = await openImage(path, { cache: false })
    stack = await stackOf(image)
  })
  afterAll(() => image.close())

  test('has the steps and sizes of docker history', async () => {
    const format = '{{json .Size}}\t{{json .CreatedBy}}'
    const text = await engine.cli('history', '--no-trunc', '--human=false', '--format', format, tag)
    const judged = text
      .trimEnd()
      .split('\n')
      .reverse()
      .map(line => line.split('\t').map(part => JSON.parse(part)))
    const own = image.steps.map(step => [
      String(step.layer === null ? 0 : dockerSize(stack, step.layer)),
      step.createdBy ?? '',
    ])
    expect(own).toEqual(judged)
  })

  test('has the tree of docker export', async () => {
    expect(listingOf(stack).filter(isOfTheImage)).toEqual(await exported(tag))
  })

  test('has intermediate images, where the builder leaves them, with the tree as of their step', async () => {
    const ids = (await engine.cli('history', '-q', '--no-trunc', tag)).trimEnd().split('\n').reverse()
    let judged = 0
    for (const step of image.steps) {
      const id = ids[step.index - 1]
      if (!id?.startsWith('sha256:') || id === image.id || step.layer === null || step.layer === 0) continue
      const below = await stackOf(image, step.layer)
      expect(listingOf(below).filter(isOfTheImage), `step ${step.index}`).toEqual(await exported(id))
      judged++
    }
    expect(judged).toBe(builder === 'classic' ? 7 : 0)
  })

  test('has a ledger that adds up', () => {
    expectLedgerAddsUp(stack)
    expect(stack.waste.map(row => row.cause).sort()).toContain('opaque')
  })
})

describe('the sample', () => {
  test('is loaded and run by Docker, and holds what the stack says', async () => {
    const image = await openImage('sample', { cacheDir: engine.scratch.folder('cache') })
    const stack = await stackOf(image)
    const archive = sampleFile(engine)
    await engine.cli('load', '-i', archive)
    expect(listingOf(stack).filter(isOfTheImage)).toEqual(await exported('sample:latest'))
    const said = await engine.cli(
      'run',
      '--rm',
      '--network=none',
      'sample:latest',
      '/bin/sh',
      '-c',
      'id; cd; ls /srv/app',
    )
    expect(said).toMatch(/uid=1000/)
    expect(said).toMatch(/server\.sh/)
    await image.close()
  })
})

async function stackOf(image: Image, top = image.layers.length - 1): Promise<Stack> {
  const stack = new Stack()
  for (let layer = 0; layer <= top; layer++) {
    const index = await image.indexLayer(layer)
    stack.push(index)
    await fillCrcs(image, stack, layer)
  }
  return stack
}

/** The judges compare contents: all of them are hashed. */
async function fillCrcs(image: Image, stack: Stack, layer: number): Promise<void> {
  const index = stack.layers[layer]
  const entries = Uint32Array.from(index.kind.keys().filter(entry => index.kind[entry] === Kind.file))
  stack.setCrcs(layer, entries, await image.hashFiles(layer, entries))
}

/** Docker's size of a layer also counts the target text of symbolic links. */
function dockerSize(stack: Stack, layer: number): number {
  const index = stack.layers[layer]
  let links = 0
  for (let entry = 0; entry < index.entries; entry++) {
    if (index.kind[entry] === Kind.symlink) links += entryOf(index, entry).link?.length ?? 0
  }
  return index.stored + links
}

/** The tree of a container that was never started, without what Docker itself puts into every container. */
async function exported(name: string): Promise<string[]> {
  const id = (await engine.cli('create', name, 'true')).trim()
  const path = join(engine.scratch.path, 'export.tar')
  await engine.cli('export', '-o', path, id)
  await engine.cli('rm', id)
  const stack = new Stack()
  stack.push(indexOf(readFileSync(path)))
  return listingOf(stack).filter(isOfTheImage)
}

function isOfTheImage(line: string): boolean {
  return !/ (\.dockerenv|dev(\/.*)?|proc|sys|etc|etc\/(hosts|hostname|resolv\.conf|mtab))$/.test(
    line.replace(/ = .*? /, ' '),
  )
}

function sampleFile(from: TestEngine): string {
  const folder = from.scratch.folder('cache')
  const name = readdirSync(folder).find(found => found.startsWith('sample-'))
  if (!name) throw new Error('the sample is not in the cache')
  return join(folder, name)
}
