/** Archives that pass by once: bounded, with back-pressure, ended when nobody wants them. */
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { openImage } from '../../../src/source/open.ts'
import { readArchiveStream } from '../../../src/source/stream-archive.ts'
import { dockerArchive } from '../../harness/docker-archives.ts'
import { archive, json } from '../../harness/images.ts'
import { scratch } from '../../harness/scratch.ts'
import { entry, tar } from '../../harness/tar.ts'

const noise = Buffer.concat(Array.from({ length: 40_000 }, (_, at) => createHash('sha512').update(`${at}`).digest()))
const large = tar(entry({ path: 'noise', body: noise }))

test('no more than a few chunks are on their way: a slow reader slows the writer down', async () => {
  let given = 0
  let asked = 0
  let most = 0
  async function* source() {
    const bytes = dockerArchive(
      {
        layers: Array(12)
          .fill(large)
          .map((one, at) => Buffer.concat([one, Buffer.alloc(at * 512)])),
      },
      'docker-1.10',
    )
    for (let at = 0; at < bytes.length; at += 60_000) {
      asked++
      given = Math.min(bytes.length, at + 60_000)
      yield bytes.subarray(at, given)
    }
  }
  let done = 0
  const folder = await readArchiveStream(source(), {
    name: 'it',
    onProgress(progress) {
      done = progress.done
      most = Math.max(most, given - done)
    },
  })
  onTestFinished(() => folder.close())
  expect(asked).toBeGreaterThan(400)
  expect(done).toBeGreaterThan(0)
  // What is on its way, and what passes between two words of the thread about how far it is.
  expect(most).toBeLessThan(14 << 20)
  expect(folder.file('manifest.json')?.passed?.content).not.toBeNull()
})

test('a stream without end is left when the archive in it has ended', async () => {
  let given = 0
  async function* source() {
    yield dockerArchive({ layers: [tar('file a 1')], names: ['x:1'] }, 'docker-1.10')
    for (;;) {
      given += 1 << 20
      yield new Uint8Array(1 << 20)
    }
  }
  const image = await openImage('-', { stdin: Readable.from(source()), cacheDir: null })
  expect(image.names).toEqual(['x:1'])
  await image.close()
  expect(given).toBeLessThan(64 << 20)
})

test('cancelling ends the stream too, also while it gives nothing', async () => {
  for (const first of [null, dockerArchive({ layers: [large] }, 'docker-1.10').subarray(0, 1_000_000)]) {
    const stop = new AbortController()
    const stdin = new Readable({ read() {} })
    if (first) stdin.push(first)
    const opening = openImage('-', { stdin, signal: stop.signal, cacheDir: null })
    setImmediate(() => stop.abort())
    await expect(opening).rejects.toMatchObject({ exitCode: 130 })
    expect(stdin.destroyed).toBe(true)
  }
})

test('a stream that fails, ends too soon or is something else', async () => {
  const whole = dockerArchive({ layers: [large] }, 'docker-1.10')
  async function* failing() {
    yield whole.subarray(0, 100_000)
    throw new Error('the pipe broke')
  }
  const open = (stdin: Readable) => openImage('-', { stdin, cacheDir: null })
  await expect(open(Readable.from(failing()))).rejects.toThrow(/the pipe broke/)
  await expect(open(Readable.from([whole.subarray(0, 100_000)]))).rejects.toThrow(
    /standard input is broken at offset \d+: it is truncated/,
  )
  await expect(open(Readable.from([]))).rejects.toThrow('standard input is no image archive: it is not a tar.')
  await expect(open(Readable.from([Buffer.from('hello')]))).rejects.toThrow(
    'standard input is no image archive: it is not a tar.',
  )
  await expect(open(Readable.from([gzipSync('hello')]))).rejects.toThrow(
    'standard input is no image archive: it is not a tar.',
  )
  await expect(open(Readable.from([Buffer.alloc(100_000)]))).rejects.toThrow(
    /has neither a manifest\.json nor an index\.json/,
  )
})

test('files that are no layer and no metadata are passed over, however large', async () => {
  const files = new Map<string, Uint8Array>([
    ['rubbish', noise],
    ['huge.json', Buffer.from(`{"a":"${'x'.repeat(20 << 20)}"}`)],
    ['manifest.json', json([{ Config: 'c.json', RepoTags: ['x:1'], Layers: ['l'] }])],
    ['c.json', json({ rootfs: { diff_ids: [`sha256:${createHash('sha256').update(large).digest('hex')}`] } })],
    ['l', gzipSync(large)],
  ])
  const image = await openImage('-', { stdin: Readable.from([archive(files)]), cacheDir: null })
  onTestFinished(() => image.close())
  const index = await image.indexLayer(0)
  expect(index.anomalies).toEqual([])
  expect(index.stored).toBe(noise.length)
  expect(index.hashed?.[0]).toBe(1)
})

test('content that is kept is in a file without a name, gone with the image', async () => {
  const { path } = scratch()
  const image = await openImage('-', {
    stdin: Readable.from([dockerArchive({ layers: [large] }, 'docker-1.10')]),
    cacheDir: path,
    needContent: true,
  })
  let bytes = 0
  for await (const piece of image.readFile(0, 0)) bytes += piece.length
  expect(bytes).toBe(noise.length)
  const names = readdirSync(path).filter(name => name !== 'layers')
  await image.close()
  expect(names).toEqual([])
})
