/**
 * Images that are looked at in a real registry, where skopeo has put them: the same as from their files, for a small part
 * of their bytes where their layers have a table of contents, and never for more than their layers once.
 */
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createOutput } from '../../src/cli/output.ts'
import { runProgram } from '../../src/cli/program.ts'
import { createRegistryService } from '../../src/cli/registry-service.ts'
import { analyzeJson, comparable } from '../harness/analysis-json.ts'
import { command } from '../harness/command.ts'
import { type CountingProxy, countingProxy } from '../harness/counting-proxy.ts'
import { startRegistry, type TestRegistry } from '../harness/engines.ts'
import { digest, type Files, hex, json, writeTree } from '../harness/images.ts'
import { ociFiles } from '../harness/oci-layouts.ts'
import { entry, tar } from '../harness/tar.ts'
import { estargz } from '../harness/toc-layers.ts'

function noise(size: number, seed: string): Uint8Array {
  const blocks = Array.from({ length: Math.ceil(size / 32) }, (_, at) =>
    createHash('sha256').update(`${seed}${at}`).digest(),
  )
  return Buffer.concat(blocks).subarray(0, size)
}

const data = noise(3_000_000, 'data')
const layers = [
  tar(
    'dir etc',
    'file etc/passwd "root:x:0:0:root:/root:/bin/sh" mtime=1700000000',
    'dir usr 0755 mtime=1700000000.5',
    entry({ path: 'usr/data', body: data, mode: 0o640, uid: 5, gid: 6, mtime: 1_700_000_000 }),
    entry({ path: 'usr/more', body: noise(900_000, 'more'), xattrs: { 'user.a': 'b' } }),
    entry({ path: 'usr/\u6f22', body: noise(10, 'x') }),
    'link usr/link -> data',
    'hard usr/hard -> usr/data',
    'char dev/null 1,3',
  ),
  tar(
    'gone usr/more',
    entry({ path: 'usr/data', body: data, mode: 0o644, uid: 5, gid: 6, mtime: 1_700_000_000 }),
    'file etc/passwd "changed:x:0:0:root:/root:/bin/s" mtime=1700000001',
    'file new 70000',
  ),
]
const history = [
  { created_by: 'ADD rootfs.tar /' },
  { created_by: 'ENV A=1', empty_layer: true },
  { created_by: 'RUN change' },
]
const image = (compression: 'none' | 'gzip' | 'zstd') => ({
  layers: layers.map(tar => ({ tar, compression })),
  history,
})

/** Layers of eStargz with their annotations; skopeo copies them as they are. */
function stargzFiles(): Files {
  const made = layers.map(layer => estargz(layer))
  const files: Files = new Map([['oci-layout', json({ imageLayoutVersion: '1.0.0' })]])
  const put = (bytes: Uint8Array, mediaType: string) => {
    files.set(`blobs/sha256/${hex(digest(bytes))}`, bytes)
    return { mediaType: `application/vnd.oci.image.${mediaType}`, digest: digest(bytes), size: bytes.length }
  }
  const config = json({
    os: 'linux',
    architecture: 'amd64',
    rootfs: { type: 'layers', diff_ids: made.map(one => one.diffId) },
    history,
  })
  const manifest = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: put(config, 'config.v1+json'),
    layers: made.map(({ blob, annotations }) => ({ ...put(blob, 'layer.v1.tar+gzip'), annotations })),
  })
  const top = { ...put(manifest, 'manifest.v1+json'), annotations: { 'org.opencontainers.image.ref.name': 'estargz' } }
  return files.set('index.json', json({ schemaVersion: 2, manifests: [top] }))
}

let registry: TestRegistry
let proxy: CountingProxy
let work: string
let cache = 0

beforeAll(async () => {
  registry = await startRegistry()
  proxy = await countingProxy(registry.address)
  work = mkdtempSync(join(tmpdir(), 'strata-look-'))
  const compressions = ['none', 'gzip', 'zstd'] as const
  writeTree(join(work, 'oci'), ociFiles(compressions.map(tag => ({ image: image(tag), tag }))))
  writeTree(join(work, 'stargz'), stargzFiles())
  const copy = (from: string, name: string, more: string[] = [], host = registry.address) =>
    command('skopeo', ['copy', '-q', '--dest-tls-verify=false', ...more, from, `docker://${host}/${name}`])
  await copy(`oci:${work}/oci:gzip`, 'gzip:1')
  await copy(`oci:${work}/oci:zstd`, 'zstd:1')
  await copy(`oci:${work}/stargz:estargz`, 'estargz:1')
  // Under another name of the same registry: skopeo would take the layers that it knows to be there already.
  const chunked = ['--dest-compress', '--dest-compress-format', 'zstd:chunked']
  await copy(`oci:${work}/oci:none`, 'chunked:1', chunked, registry.address.replace('127.0.0.1', 'localhost'))
})
afterAll(async () => {
  await proxy?.stop()
  await registry?.stop()
  if (work) rmSync(work, { recursive: true, force: true })
})

beforeEach(() => {
  cache++
  proxy.withoutParts(false)
  proxy.counted()
})

const far = (name: string) => `docker://${proxy.address}/${name}`
const env = () => ({ XDG_CACHE_HOME: join(work, `cache-${cache}`), STRATA_ROOT: join(work, 'root') })
const analyze = (reference: string) => analyzeJson(reference, { args: ['--tls-verify=false'], env: env() })

/** With a cache and a store of our own. */
async function within<T>(act: () => Promise<T>): Promise<T> {
  const before = { ...process.env }
  Object.assign(process.env, env())
  try {
    return await act()
  } finally {
    for (const name of Object.keys(env())) {
      if (before[name] === undefined) delete process.env[name]
      else process.env[name] = before[name]
    }
  }
}

/** What a verb prints. */
function run(...args: string[]): Promise<Buffer> {
  return within(async () => {
    const [out, err] = [new PassThrough(), new PassThrough()]
    const said = [buffer(out), buffer(err)]
    const io = { out: createOutput(out, {}), err: createOutput(err, {}), signal: new AbortController().signal }
    const code = await runProgram(['--tls-verify=false', ...args], io).finally(() => {
      out.end()
      err.end()
    })
    const [text, complaint] = await Promise.all(said)
    if (code !== 0) throw new Error(`${args[0]} ended with ${code}: ${complaint}`)
    return text!
  })
}

/** Bytes of the layers of an image as the registry keeps them. */
async function stored(name: string): Promise<number> {
  const { layers } = JSON.parse(String(await run('inspect', far(name))))
  return layers.reduce((sum: number, layer: { compressed: number }) => sum + layer.compressed, 0)
}

describe('analyze of an image in its registry says what it says of its files', () => {
  test.each(['gzip:1', 'zstd:1'])('%s: each layer comes once, and not again', async name => {
    const all = await stored(name)
    proxy.counted()
    expect(comparable(await analyze(far(name)))).toBe(comparable(await analyze(`oci:${work}/oci:none`)))
    const { bytes, answers } = proxy.counted()
    expect(bytes).toBeLessThan(all + 2000)
    expect(answers).toBe(3)
    await analyze(far(name))
    expect(proxy.counted().bytes).toBeLessThan(2000)
  })

  test('zstd:chunked by skopeo: less than 2 % of its bytes come', async () => {
    const all = await stored('chunked:1')
    proxy.counted()
    const analysis = await analyze(far('chunked:1'))
    const { bytes } = proxy.counted()
    expect(bytes).toBeLessThan(all * 0.02)
    expect(comparable(analysis)).toBe(comparable(await analyze(`oci:${work}/oci:none`)))
  })

  test('eStargz: less than 2 % of its bytes come, and its own files are left out', async () => {
    const all = await stored('estargz:1')
    proxy.counted()
    const analysis = await analyze(far('estargz:1'))
    expect(proxy.counted().bytes).toBeLessThan(all * 0.02)
    const { bytes, efficiency, entries, waste } = await analyze(`oci:${work}/oci:none`)
    expect(analysis).toMatchObject({ efficiency, entries, waste, bytes: { ...bytes, compressed: all } })
  })

  test('a registry that hands out no parts is asked for one once, then for the layers', async () => {
    proxy.withoutParts(true)
    expect(comparable(await analyze(far('chunked:1')))).toBe(comparable(await analyze(`oci:${work}/oci:none`)))
    // The config, the first question for a part, and two layers.
    expect(proxy.counted().answers).toBe(4)
  })
})

describe('verbs read what they need', () => {
  const config = 2000

  test('history, dockerfile and inspect no layer at all', async () => {
    for (const verb of ['history', 'dockerfile', 'inspect']) await run(verb, far('gzip:1'))
    expect(proxy.counted().bytes).toBeLessThan(3 * config)
    const lines = String(await run('history', far('gzip:1'), '--json'))
    const rows = lines
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(rows.map(row => [row.index, row.stored])).toEqual([
      [3, null],
      [2, 0],
      [1, null],
    ])
    expect(rows[2].compressed).toBeGreaterThan(3_000_000)
  })

  test('tree of a step the layers up to it', async () => {
    const all = await stored('gzip:1')
    const paths = String(await run('tree', `${far('gzip:1')}@1`, '--json'))
    expect(paths).toContain('"path":"usr/more"')
    expect(proxy.counted().bytes).toBeLessThan(all * 0.6)
  })

  test.each(['chunked:1', 'estargz:1'])('cat of %s only the pieces of the file', async name => {
    expect(String(await run('cat', far(name), 'etc/passwd'))).toBe('changed:x:0:0:root:/root:/bin/s')
    expect(proxy.counted().bytes).toBeLessThan(100_000)
    expect((await run('cat', `${far(name)}@1`, 'usr/data')).equals(data)).toBe(true)
  })

  test('extract of one directory of a layer in its registry', async () => {
    const to = join(work, `out-${cache}`)
    await run('extract', `${far('chunked:1')}@1`, 'usr', to)
    expect(readFileSync(join(to, 'data')).equals(data)).toBe(true)
  })

  test('load takes the image as it is there, and from then on nothing of it comes', async () => {
    const { far: before } = JSON.parse(String(await run('inspect', far('chunked:1'))))
    await run('load', far('chunked:1'))
    const { digest: kept } = JSON.parse(String(await run('inspect', `strata:${proxy.address}/chunked:1`)))
    const { digest: there, far: now } = JSON.parse(String(await run('inspect', far('chunked:1'))))
    expect(there).toBe(kept)
    expect(now).toMatchObject({ pull: { layers: 0, bytes: 0 }, layers: [{ here: 'native' }, { here: 'native' }] })
    proxy.counted()
    await analyze(far('chunked:1'))
    expect(proxy.counted().bytes).toBeLessThan(config)
    expect(before).toMatchObject({ registry: proxy.address, pull: { layers: 2, bytes: before.bytes } })
    expect(before.layers.map((one: { here: null; toc: string }) => [one.here, one.toc])).toEqual([
      [null, 'zstd-chunked'],
      [null, 'zstd-chunked'],
    ])
  })
})

test('the screens complete tags, and say what looking and pulling would bring', async () => {
  rmSync(join(work, 'root'), { recursive: true, force: true })
  const service = createRegistryService({ tlsVerify: 'false' }, async () => [])
  const { signal } = new AbortController()
  await within(async () => {
    expect(await service.complete(`${proxy.address}/zstd:`)).toEqual([`${proxy.address}/zstd:1`])
    expect(await service.complete(`${proxy.address}/nothing:`)).toEqual([])
    const all = await service.offer(`${proxy.address}/zstd:1`, signal)
    expect(all).toMatchObject({
      layers: 2,
      look: { bytes: all.bytes, whole: 2 },
      pull: { layers: 2, bytes: all.bytes },
    })
    const little = await service.offer(`${proxy.address}/estargz:1`, signal)
    expect(little.look.whole).toBe(0)
    expect(little.look.bytes).toBeLessThan(little.bytes * 0.02)
    const told = new Set<string>()
    const { key } = await service.pull(little.name, { signal, progress: of => told.add(of.doing) })
    expect(key).toMatch(/^native sha256:[0-9a-f]{64} 127\.0\.0\.1:\d+\/estargz:1$/)
    expect(told).toContain('Pull complete')
    expect((await service.offer(little.name, signal)).pull).toEqual({ layers: 0, bytes: 0 })
  })
})

test('a bare name that is nowhere here: where else to look is told', async () => {
  await expect(run('analyze', 'nowhere/at-all:1', '--engine', 'native')).rejects.toThrow()
  const error = await run('analyze', 'nowhere/at-all:1').catch(error => error)
  expect(`${error.message} ${error.hint}`).toMatch(/docker:\/\/nowhere\/at-all:1|Neither Docker nor Podman/)
})
