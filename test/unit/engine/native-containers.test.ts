/** Parts of the native engine that need no container: its logs, its wishes, its names, the config of a commit. */
import { appendFileSync, existsSync, mkdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { LogLine, LogQuery } from '../../../src/engine/containers.ts'
import { changed } from '../../../src/engine/native/commit-config.ts'
import { type LogSource, readLogs } from '../../../src/engine/native/logs.ts'
import { granted } from '../../../src/engine/native/wish.ts'
import { emptyRun } from '../../../src/image/config.ts'
import { claimName, claimSomeName, holderOf, releaseName } from '../../../src/runtime/containers/names.ts'
import { type ContainerRecord, folderOf } from '../../../src/runtime/containers/record.ts'
import {
  discardContainer,
  lookUpContainer,
  newId,
  placeContainer,
  renameContainer,
  sweepContainers,
} from '../../../src/runtime/containers/shelf.ts'
import { until } from '../../harness/command.ts'
import { scratch } from '../../harness/scratch.ts'

const line = (text: string, second: number, stream = 'stdout') =>
  `${JSON.stringify({ log: text, stream, time: `2026-11-22T10:00:${String(second).padStart(2, '0')}.000000001Z` })}\n`

function logOf(...files: string[]) {
  const { path } = scratch()
  const log = join(path, 'log')
  for (const [at, text] of files.entries())
    writeFileSync(at === files.length - 1 ? log : `${log}.${files.length - 1 - at}`, text)
  const life = { on: false, changed: () => {} }
  const source: LogSource = {
    path: log,
    goesOn: async () => life.on,
    onChange: changed => {
      life.changed = changed
      return () => {}
    },
  }
  return { log, source, life }
}

async function texts(source: LogSource, query?: LogQuery): Promise<string> {
  let all = ''
  for await (const { stream, bytes, partial } of readLogs(source, query))
    all += `${stream === 'stderr' ? '!' : ''}${Buffer.from(bytes)}${partial ? '' : '\n'}`
  return all
}

describe('logs', () => {
  const three = () => logOf(line('a\n', 1) + line('b\n', 2), line('c\n', 3, 'stderr'), line('d\n', 4) + line('e', 5))

  test('the rotated files come first, whatever there is of them', async () => {
    expect(await texts(three().source)).toBe('a\nb\n!c\nd\ne')
    expect(await texts(logOf('').source)).toBe('')
  })

  test.each([
    [0, ''],
    [1, 'e'],
    [2, 'd\ne'],
    [3, '!c\nd\ne'],
    [5, 'a\nb\n!c\nd\ne'],
    [50, 'a\nb\n!c\nd\ne'],
  ])('the last %d lines', async (tail, wanted) => expect(await texts(three().source, { tail })).toBe(wanted))

  test('the last of very many', async () => {
    const many = Array.from({ length: 20_000 }, (_, at) => line(`${at}\n`, 1)).join('')
    expect(await texts(logOf(many).source, { tail: 2 })).toBe('19998\n19999\n')
  })

  test('since and until', async () => {
    const at = (second: number) => Date.parse('2026-11-22T10:00:00Z') / 1000 + second
    expect(await texts(three().source, { since: at(3) })).toBe('!c\nd\ne')
    expect(await texts(three().source, { since: at(2), until: at(3.5) })).toBe('b\n!c\n')
  })

  test('parts of a line that was too long are one line; half a record at the end is none', async () => {
    const { source } = logOf(`${line('abc', 1) + line('def\n', 1) + line('x\n', 2)}{"log":"half`)
    expect(await texts(source)).toBe('abcdef\nx\n')
    expect(await texts(source, { tail: 2 })).toBe('abcdef\nx\n')
  })

  test('times are kept to the nanosecond', async () => {
    const lines: LogLine[] = []
    for await (const one of readLogs(logOf(line('a\n', 1)).source)) lines.push(one)
    expect(lines[0].time! % 1_000_000_000n).toBe(1n)
  })

  test('following goes through a rotation, and ends with the container', async () => {
    const { log, source, life } = logOf(line('a\n', 1))
    life.on = true
    let said = ''
    const reading = (async () => {
      for await (const { bytes } of readLogs(source, { follow: true })) said += Buffer.from(bytes)
    })()
    await until(() => said === 'a')
    appendFileSync(log, line('b\n', 2))
    await until(() => said === 'ab')
    appendFileSync(log, line('c\n', 3))
    renameSync(log, `${log}.1`)
    writeFileSync(log, line('d\n', 4))
    await until(() => said === 'abcd')
    appendFileSync(log, line('e\n', 5))
    life.on = false
    life.changed()
    await reading
    expect(said).toBe('abcde')
  })

  test('following ends with the signal', async () => {
    const { source, life } = logOf(line('a\n', 1))
    life.on = true
    const stop = new AbortController()
    const reading = texts(source, { follow: true, signal: stop.signal })
    setTimeout(() => stop.abort(), 50)
    expect(await reading).toBe('a\n')
  })
})

describe('what the native engine grants', () => {
  test('limits, mounts and networks that it has', () => {
    const wish = granted({
      image: 'a',
      network: 'host',
      volumes: ['/a/../b:/c:ro'],
      tmpfs: ['/m:size=1m,mode=700'],
      memory: 10_000_000,
      stopSignal: 'SIGINT',
    })
    expect(wish).toMatchObject({ network: { mode: 'host' }, memory: 10_000_000, stopSignal: 'INT' })
    expect(wish.mounts).toMatchObject([
      { kind: 'bind', source: '/b', destination: '/c', readOnly: true, make: true },
      { kind: 'tmpfs', destination: '/m', options: ['size=1m', 'mode=700'] },
    ])
  })

  test.each([
    [{ restart: 'sometimes' }],
    [{ network: 'no-such' }],
    [{ volumes: ['n:/v'] }],
    [{ volumes: ['../up:/v'] }],
    [{ volumes: ['name:/'] }],
    [{ volumes: ['name:/v:ro,rw'] }],
    [{ volumes: ['name:/v', 'other:/v/'] }],
    [{ volumes: ['name:/v'], tmpfs: ['/v'] }],
    [{ volumes: ['/a:relative'] }],
    [{ volumes: ['/a:/b:odd'] }],
    [{ tmpfs: ['relative'] }],
    [{ memory: 1000 }],
    [{ cpus: 0 }],
    [{ stopSignal: 'NO-SUCH' }],
  ])('%j is a sentence', spec => expect(() => granted({ image: 'a', ...spec })).toThrow(/\.$/))
})

test('changes of a commit are the builder’s', () => {
  const run = { ...emptyRun(), env: ['A=1'], cmd: ['old'], entrypoint: ['e'], workingDir: '/a' }
  const lines = [
    'CMD ["x", "y z"]',
    'env B="two words"',
    'EXPOSE 80 53/udp',
    'LABEL k=v',
    'USER me',
    'VOLUME /v',
    'WORKDIR sub',
    'ONBUILD RUN x',
    'STOPSIGNAL INT',
    'HEALTHCHECK --interval=5s CMD true',
  ]
  expect(changed(run, lines)).toMatchObject({
    cmd: ['x', 'y z'],
    env: ['A=1', 'B=two words'],
    exposedPorts: ['80/tcp', '53/udp'],
    labels: { k: 'v' },
    user: 'me',
    volumes: ['/v'],
    workingDir: '/a/sub',
    onBuild: ['RUN x'],
    stopSignal: 'INT',
    healthcheck: { interval: 5e9 },
  })
  expect(changed(run, ['ENTRYPOINT ["n"]']).cmd).toBe(null)
  expect(changed(run, ['CMD c', 'ENTRYPOINT ["n"]']).cmd).toEqual(['/bin/sh', '-c', 'c'])
  expect(() => changed(run, ['RUN rm -rf /'])).toThrow('is no change of an image')
})

describe('names and folders', () => {
  const place = (containers: string, name: string | null, id = newId()) =>
    placeContainer(
      containers,
      { version: 1, id, name, lower: [], created: '', mounts: [], remove: true } as unknown as Omit<
        ContainerRecord,
        'name'
      > & {
        name: string | null
      },
      () => {},
    )

  test('a name belongs to one container, and is free again when that is gone', async () => {
    const { path } = scratch()
    const first = place(path, 'web')
    expect(() => place(path, 'web')).toThrow('belongs to the container')
    expect(lookUpContainer(path, 'web')?.id).toBe(first.id)
    await discardContainer({ store: path, containers: path, state: path }, first)
    expect(holderOf(path, 'web')).toBe(null)
    expect(place(path, 'web').name).toBe('web')
  })

  test('an id, and the beginning of one as long as no other begins so', () => {
    const { path } = scratch()
    const [a, b] = ['ab'.padEnd(64, '0'), 'ac'.padEnd(64, '0')]
    place(path, 'one', a)
    place(path, 'two', b)
    expect(lookUpContainer(path, 'ab')?.name).toBe('one')
    expect(lookUpContainer(path, b)?.name).toBe('two')
    expect(lookUpContainer(path, 'ad')).toBe(null)
    expect(() => lookUpContainer(path, 'a')).toThrow('2 containers')
    expect(lookUpContainer(path, '../names')).toBe(null)
  })

  test('another name: the old one is free, a taken one is not had', () => {
    const { path } = scratch()
    const one = place(path, 'one')
    place(path, 'two')
    expect(() => renameContainer(path, one, 'two')).toThrow('belongs to')
    renameContainer(path, one, 'three')
    expect([holderOf(path, 'one'), lookUpContainer(path, 'three')?.id]).toEqual([null, one.id])
  })

  test.each(['a', '-x', '.x', 'a/b', 'a b', '', '../x'])('“%s” is no name', name => {
    const { path } = scratch()
    expect(() => claimName(path, name, newId())).toThrow('is no name')
  })

  test('names of our own never collide', () => {
    const { path } = scratch()
    mkdirSync(join(path, 'names'))
    const names = Array.from({ length: 300 }, () => claimSomeName(path, newId()))
    expect(new Set(names).size).toBe(300)
    releaseName(path, names[0], 'somebody else')
    expect(holderOf(path, names[0])).not.toBe(null)
  })

  test('what a killed Strata left half made goes when it is old, and what is being made stays', async () => {
    const { path } = scratch()
    const [old, fresh, whole] = [newId(), newId(), place(path, 'whole').id]
    for (const id of [old, fresh]) mkdirSync(folderOf(path, id).path)
    for (const id of [old, whole]) utimesSync(folderOf(path, id).path, 1, 1)
    await sweepContainers(path)
    expect([old, fresh, whole].map(id => existsSync(folderOf(path, id).path))).toEqual([false, true, true])
  })

  test('what is half made when it fails leaves nothing', () => {
    const { path } = scratch()
    const id = newId()
    const broken = () => {
      throw new Error('full')
    }
    expect(() =>
      placeContainer(path, { id, name: 'xx' } as unknown as Parameters<typeof placeContainer>[1], broken),
    ).toThrow('full')
    expect([lookUpContainer(path, 'xx'), holderOf(path, 'xx')]).toEqual([null, null])
    expect(() => mkdirSync(folderOf(path, id).path)).not.toThrow()
  })
})
