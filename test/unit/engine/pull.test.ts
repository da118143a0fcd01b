/** Pull and push of the native store, next to a registry that can be told to misbehave. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { loadImage } from '../../../src/engine/native/load.ts'
import { type PullOptions, pullImage } from '../../../src/engine/native/pull.ts'
import { pushImage } from '../../../src/engine/native/push.ts'
import { parseImageName } from '../../../src/image/image-name.ts'
import { placesOf } from '../../../src/runtime/places.ts'
import { storeFolder } from '../../../src/runtime/store/folder.ts'
import { readImages } from '../../../src/runtime/store/index.ts'
import { leftPartials } from '../../../src/runtime/store/partial.ts'
import { openChecker } from '../../../src/source/checker.ts'
import { openImage } from '../../../src/source/open.ts'
import { createPool } from '../../../src/source/pool.ts'
import { until } from '../../harness/command.ts'
import { dockerArchive } from '../../harness/docker-archives.ts'
import { accessFor, imageOf, oddRegistry, quickLimits, remoteImage, sha } from '../../harness/odd-registry.ts'
import { scratch } from '../../harness/scratch.ts'
import { tar } from '../../harness/tar.ts'

/** One thread for all of the file: to start one takes longer than most of the tests. */
const pool = createPool(1)
const checker = openChecker(pool)
afterAll(async () => {
  await checker.close()
  await pool.close()
})

async function room(bytes: number[] = [100_000, 3_000_000], limits = quickLimits) {
  const odd = await oddRegistry()
  const image = remoteImage(...bytes)
  const digest = odd.add('team/app:1', image)
  const { path, put } = scratch()
  const places = placesOf({ STRATA_ROOT: join(path, 'root') }, path, true)
  const folder = storeFolder(places)
  const access = accessFor({ limits: { ...limits, answer: 5000 } })
  const events: string[] = []
  const pull = (more: Partial<PullOptions> = {}, name = 'team/app:1') =>
    pullImage(parseImageName(`${odd.host}/${name}`), {
      places,
      access,
      checker,
      progress(layer, done, total, phase) {
        const at = image.layers.findIndex(one => sha(one) === layer)
        const line = phase === 'fetching' && done > 0 && done !== total ? null : `${at} ${phase}`
        if (line !== null && events.at(-1) !== line) events.push(line)
      },
      ...more,
    })
  const names = () => readImages(folder).flatMap(one => one.names.map(name => name.replace(odd.host, 'HOST')))
  const kept = () => (existsSync(folder.blobs) ? readdirSync(folder.blobs).map(hex => `sha256:${hex}`) : [])
  const partial = () => {
    const at = join(folder.root, 'partial')
    return existsSync(at) ? readdirSync(at) : []
  }
  return { odd, image, digest, places, folder, access, pull, names, kept, partial, events, put }
}

const message = (work: Promise<unknown>) =>
  work.then(
    () => 'it worked',
    error => String(error.message ?? error),
  )
const asksFor = (path: string, blob: Uint8Array) => path.endsWith(sha(blob))

test('an image with its documents and layers byte by byte, its name, and what the registry calls it', async () => {
  const { odd, image, digest, folder, pull, names, kept, partial, events } = await room()
  const pulled = await pull()
  expect(pulled).toEqual({ id: sha(image.config), digest, name: `${odd.host}/team/app:1`, fresh: true, moved: [] })
  expect(kept().sort()).toEqual([image.config, image.manifest, ...image.layers].map(sha).sort())
  expect([names(), partial()]).toEqual([['HOST/team/app:1'], []])
  const [{ digests, layers }] = readImages(folder)
  expect(digests).toEqual([`${odd.host}/team/app@${digest}`])
  expect(layers.map(one => [one.diffId, one.tarBytes])).toEqual(
    image.layers.map((one, at) => [image.diffIds[at], gunzipSync(one).length]),
  )
  expect(events.slice(0, 2)).toEqual(['0 waiting', '1 waiting'])
  expect([...new Set(events.slice(2))].sort()).toEqual([
    '0 checking',
    '0 done',
    '0 fetching',
    '1 checking',
    '1 done',
    '1 fetching',
  ])
})

test('what is there is not fetched: an image whole, a layer of another one, a blob that no image has', async () => {
  const { odd, image, pull, events, folder } = await room()
  await pull()
  odd.asked.length = 0
  expect((await pull()).fresh).toBe(false)
  expect(odd.asked.some(one => image.layers.some(layer => asksFor(one.path, layer)))).toBe(false)
  odd.add('team/app:2', imageOf([image.layers[1]], [image.diffIds[1]]))
  events.length = 0
  await pull({}, 'team/app:2')
  expect(events).toEqual(['1 waiting', '1 there'])
  writeFileSync(folder.images, JSON.stringify({ schema: 'strata.store/1', images: [] }))
  events.length = 0
  await pull()
  expect(events.filter(one => /there|done/.test(one)).sort()).toEqual(['0 there', '1 there'])
})

test('by digest it has no name, and is found by what the registry calls it', async () => {
  const { odd, digest, pull, names, folder } = await room()
  await pull({}, `team/app@${digest}`)
  expect(names()).toEqual([])
  const { findImage } = await import('../../../src/runtime/store/names.ts')
  expect(findImage(readImages(folder), parseImageName(`${odd.host}/team/app@${digest}`))).not.toBe(null)
  expect(findImage(readImages(folder), parseImageName(`${odd.host}/team/other@${digest}`))).toBe(null)
})

test('zstd, plain layers, and gzip in several members too', async () => {
  const { odd, pull, folder } = await room()
  const plain = Buffer.from(tar('file a 70000'))
  // As eStargz ends: the last member is empty, and says nothing of the tar.
  const members = Buffer.concat([
    gzipSync(plain.subarray(0, 9999)),
    gzipSync(plain.subarray(9999)),
    gzipSync(Buffer.alloc(0)),
  ])
  odd.add('team/app:mixed', imageOf([zstdCompressSync(plain), plain, members], [plain, plain, plain].map(sha)))
  await pull({}, 'team/app:mixed')
  expect(readImages(folder)[0].layers.map(one => one.tarBytes)).toEqual([plain.length, plain.length, plain.length])
})

test('a layer that is cut is gone on with where it was, and so is one of a pull that was given up', async () => {
  const { odd, image, pull, partial, names } = await room([2_000_000])
  const [layer] = image.layers
  let cuts = 2
  odd.odd(({ path, headers }, response) => {
    if (!asksFor(path, layer) || cuts-- <= 0) return false
    const from = Number(/^bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0)
    response.writeHead(
      from > 0 ? 206 : 200,
      from > 0
        ? { 'content-range': `bytes ${from}-${layer.length - 1}/${layer.length}` }
        : { 'content-length': layer.length },
    )
    response.write(layer.subarray(from, from + 600_000), () => setTimeout(() => response.destroy(), 20))
    return true
  })
  const stop = new AbortController()
  const given = pull({
    signal: stop.signal,
    progress: (_, done, __, phase) => phase === 'again' && done === 0 && stop.abort(),
  })
  expect(await message(given)).toMatch(/abort/i)
  expect([names(), partial()]).toEqual([[], [sha(layer).slice(7)]])
  odd.asked.length = 0
  await pull()
  const ranges = odd.asked.filter(one => asksFor(one.path, layer)).map(one => one.headers.range)
  expect(ranges).toEqual(['bytes=600000-', 'bytes=1200000-'])
  expect([names(), partial()]).toEqual([['HOST/team/app:1'], []])
})

test('a server that knows no parts sends it again, and what is there already is passed over', async () => {
  const { odd, image, pull, names } = await room([2_000_000])
  const [layer] = image.layers
  let asked = 0
  odd.odd(({ path }, response) => {
    if (!asksFor(path, layer)) return false
    response.writeHead(200, { 'content-length': layer.length })
    if (asked++ > 0) return Boolean(response.end(layer))
    response.write(layer.subarray(0, 900_000), () => setTimeout(() => response.destroy(), 20))
    return true
  })
  await pull()
  expect([asked, names()]).toEqual([2, ['HOST/team/app:1']])
})

test('a part that was left wrong is fetched anew', async () => {
  const { image, folder, pull, names } = await room([500_000])
  mkdirSync(join(folder.root, 'partial'), { recursive: true })
  writeFileSync(join(folder.root, 'partial', sha(image.layers[0]).slice(7)), Buffer.alloc(1000, 7))
  await pull()
  expect(names()).toEqual(['HOST/team/app:1'])
})

test('two pulls of the same layers at once: one fetches, both have it', async () => {
  const { odd, image, pull, names, partial } = await room([2_000_000])
  await Promise.all([pull(), pull()])
  expect(odd.asked.filter(one => asksFor(one.path, image.layers[0])).length).toBe(1)
  expect([names(), partial()]).toEqual([['HOST/team/app:1'], []])
})

const lies: [string, (layer: Buffer) => Buffer, RegExp][] = [
  ['other bytes', layer => Buffer.from(layer).fill(1, 30, 40), /does not have its digest: what came has sha256:/],
  ['fewer bytes', layer => layer.subarray(0, 900), /is to have .*, and the registry sends one of 900 B/],
  ['more bytes', layer => Buffer.concat([layer, layer]), /is to have .*, and the registry sends one of/],
]
test.for(lies)('a layer of %s is refused, and nothing of the image is there', async ([, lie, expected]) => {
  const { odd, image, pull, names, kept } = await room([200_000])
  odd.blobs.set(sha(image.layers[0]), lie(image.layers[0]))
  expect(await message(pull())).toMatch(expected)
  expect([names(), kept()]).toEqual([[], []])
})

test('a body without end stops where the layer should end; one that stalls is given up, and its part stays', async () => {
  const { odd, image, pull, partial } = await room([300_000])
  const [layer] = image.layers
  odd.odd(({ path }, response) => {
    if (!asksFor(path, layer)) return false
    const more = () => {
      while (response.write(Buffer.alloc(64 << 10)));
    }
    response.on('drain', more)
    more()
    return true
  })
  expect(await message(pull())).toMatch(/is to have .*, and the registry sends more/)
  odd.odd(
    ({ path }, response) =>
      asksFor(path, layer) && response.setHeader('content-length', layer.length).write(layer.subarray(0, 1000)),
  )
  expect(await message(pull())).toMatch(/has sent nothing for 300 ms|does not have its digest/)
  expect(partial().length).toBeLessThanOrEqual(1)
})

test('a config that names other layers than the manifest is refused; a diffID that is a lie when it is asked for, or used', async () => {
  const { odd, image, pull, places, names } = await room([1000, 2000])
  odd.add('team/app:fewer', imageOf(image.layers, image.diffIds.slice(1)))
  expect(await message(pull({}, 'team/app:fewer'))).toMatch(/names 1 layers and its manifest 2: it can not be kept/)
  odd.add('team/app:lies', imageOf([image.layers[0]], [image.diffIds[1]]))
  expect(await message(pull({ verify: true }, 'team/app:lies'))).toMatch(
    /is not what its image says: its diffID is sha256:/,
  )
  await pull({}, 'team/app:lies')
  const { openStoreImage } = await import('../../../src/engine/native/images.ts')
  const opened = (await openStoreImage(`${odd.host}/team/app:lies`, places, { cache: false }))!
  const index = await opened.indexLayer(0).catch(error => error)
  expect(index.message ?? JSON.stringify(index.anomalies)).toMatch(/digest|diffID/i)
  await opened.close()
  // The one that tells the truth can be had nevertheless.
  await pull()
  expect(names()).toContain('HOST/team/app:1')
})

test('digests that could lead elsewhere, more than the disk holds, encrypted layers, foreign algorithms: refused before anything is fetched', async () => {
  const { odd, image, pull } = await room([1000])
  const put = (tag: string, change: (manifest: { layers: Record<string, unknown>[] }) => void) => {
    const manifest = JSON.parse(image.manifest.toString())
    change(manifest)
    odd.manifests.set(`team/app:${tag}`, { bytes: Buffer.from(JSON.stringify(manifest)), type: manifest.mediaType })
  }
  put('path', one => Object.assign(one.layers[0], { digest: 'sha256:../../../etc/passwd' }))
  put('long', one => Object.assign(one.layers[0], { digest: `sha512:${'a'.repeat(128)}` }))
  put('encrypted', one =>
    Object.assign(one.layers[0], { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip+encrypted' }),
  )
  put('huge', one => Object.assign(one.layers[0], { size: 2 ** 52 }))
  expect(await message(pull({}, 'team/app:huge'))).toMatch(
    /has 4\.5 PB of layers that are not here, and there is room for/,
  )
  expect(await message(pull({}, 'team/app:path'))).toMatch(/it is no digest/)
  expect(await message(pull({}, 'team/app:long'))).toMatch(/it takes sha256/)
  expect(await message(pull({}, 'team/app:encrypted'))).toMatch(/is encrypted/)
  expect(odd.asked.some(one => asksFor(one.path, image.layers[0]))).toBe(false)
})

test('parts that nobody has gone on with are known by their age', async () => {
  const { folder, pull } = await room([1000])
  await pull()
  const path = join(folder.root, 'partial', 'a'.repeat(64))
  writeFileSync(path, 'x')
  expect(await leftPartials(folder, 60_000)).toEqual([])
  expect((await leftPartials(folder, -1)).map(one => one.path)).toEqual([path])
})

test('pushed: what the registry has is not sent, what another repository has is mounted, digests stay', async () => {
  const { odd, image, digest, places, folder, access, pull } = await room()
  await pull()
  odd.blobs.delete(sha(image.layers[0]))
  const phases: string[] = []
  const push = (name: string) =>
    pushImage(readImages(folder)[0], parseImageName(`${odd.host}/${name}`), {
      places,
      access,
      progress: (layer, _, __, phase) => phases.push(`${image.layers.findIndex(one => sha(one) === layer)} ${phase}`),
    })
  expect(await push('team/app:2')).toEqual({ digest, bytes: image.manifest.length })
  expect(phases.filter(one => /there|done|mounted/.test(one)).sort()).toEqual(['0 done', '1 there'])
  expect(odd.blobs.get(sha(image.layers[0]))).toEqual(image.layers[0])
  expect(odd.manifests.get('team/app:2')?.bytes).toEqual(image.manifest)
  phases.length = 0
  odd.odd(
    ({ method, path }, response) =>
      method === 'HEAD' && path.includes('/fresh/') && Boolean(response.writeHead(404).end()),
  )
  await push('team/fresh:1')
  expect(phases.filter(one => /there|done|mounted/.test(one)).sort()).toEqual(['0 mounted', '1 mounted'])
  expect(readImages(folder)[0].digests).toEqual([`${odd.host}/team/app@${digest}`, `${odd.host}/team/fresh@${digest}`])
})

test('an upload that is cut is gone on with where the registry has it; one that fails is sent again', async () => {
  const { odd, image, places, folder, access, pull } = await room([2_000_000])
  await pull()
  const [layer] = image.layers
  odd.blobs.clear()
  let patches = 0
  odd.odd(({ method }, response) => {
    if (method !== 'PATCH' || patches++ > 0) return false
    return Boolean(response.writeHead(503).end())
  })
  await pushImage(readImages(folder)[0], parseImageName(`${odd.host}/team/app:2`), { places, access })
  expect(odd.blobs.get(sha(layer))).toEqual(layer)
  expect(access.told.join()).toMatch(/sending again/)
})

test('an upload may go to another host, which is told nothing of who asks', async () => {
  const storage = await oddRegistry()
  const { odd, image, places, folder, pull } = await room([1000])
  await pull()
  odd.blobs.clear()
  const header = `Basic ${Buffer.from('me:pw').toString('base64')}`
  const access = accessFor({ credentials: async () => ({ username: 'me', password: 'pw' }) })
  odd.odd(({ method, path, headers }, response) => {
    if (headers.authorization !== header)
      return Boolean(response.writeHead(401, { 'www-authenticate': 'Basic realm=x' }).end())
    if (method !== 'POST') return false
    return Boolean(
      response.writeHead(202, { location: `http://${storage.host}/v2/${path.slice(4)}store?sign=1` }).end(),
    )
  })
  storage.odd(({ method, path }, response) =>
    Boolean(response.writeHead(method === 'PATCH' ? 202 : 201, { location: path }).end()),
  )
  await pushImage(readImages(folder)[0], parseImageName(`${odd.host}/team/app:2`), { places, access })
  expect(storage.asked.map(one => [one.method, one.headers.authorization])).toEqual([
    ['PATCH', undefined],
    ['PUT', undefined],
    ['PATCH', undefined],
    ['PUT', undefined],
  ])
  expect(storage.asked[1].path).toContain('?sign=1&digest=sha256%3A')
  expect(storage.asked[0].body).toEqual(image.layers[0])
})

test('plain layers that came without a manifest are compressed, the same way each time', async () => {
  const { odd, places, folder, access, put } = await room([1000])
  const layers = [tar('file a 50000'), tar('file b 10')]
  const path = put('plain.tar', dockerArchive({ layers, names: ['own:1'] }, 'docker-25'))
  const opened = await openImage(path, { cache: false, needContent: true })
  await loadImage(opened, ['docker.io/library/own:1'], { places })
  await opened.close()
  const push = (tag: string) =>
    pushImage(readImages(folder)[0], parseImageName(`${odd.host}/own:${tag}`), { places, access })
  const first = await push('1')
  expect((await push('2')).digest).toBe(first.digest)
  const manifest = JSON.parse(odd.manifests.get('own:1')!.bytes.toString())
  const sent = manifest.layers.map((one: { digest: string; mediaType: string }) => [
    one.mediaType,
    gunzipSync(odd.blobs.get(one.digest)!),
  ])
  expect(sent).toEqual(layers.map(layer => ['application/vnd.oci.image.layer.v1.tar+gzip', Buffer.from(layer)]))
})

test('ctrl-c in the middle leaves parts and nothing else, and no lock', async () => {
  const { odd, image, pull, partial, names, kept, folder, access } = await room([100, 3_000_000], {
    ...quickLimits,
    idle: 60_000,
  })
  odd.odd(({ path }, response) => {
    if (!asksFor(path, image.layers[1])) return false
    response.writeHead(200, { 'content-length': image.layers[1].length })
    return response.write(image.layers[1].subarray(0, 1_000_000)) || true
  })
  const stop = new AbortController()
  const pulling = message(pull({ signal: stop.signal }))
  await until(() => kept().length > 0 && partial().length > 0)
  stop.abort()
  expect([await pulling, access.told]).toEqual([expect.stringMatching(/abort|cancel/i), []])
  expect([names(), partial(), kept()]).toEqual([[], [sha(image.layers[1]).slice(7)], [sha(image.layers[0])]])
  expect(readdirSync(join(folder.root, 'work'))).toEqual([])
  expect(readFileSync(join(folder.root, 'partial', partial()[0])).equals(image.layers[1].subarray(0, 1_000_000))).toBe(
    true,
  )
})
