/** zstd:chunked as Podman 5.8 pushes it, with the longer footer and the tar-split: looked at in the registry. */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { analyzeJson } from '../harness/analysis-json.ts'
import { command } from '../harness/command.ts'
import { type CountingProxy, countingProxy } from '../harness/counting-proxy.ts'
import { startRegistry, type TestRegistry } from '../harness/engines.ts'
import { enter, newerRoot, pathInside } from '../harness/newer-roots.ts'
import { entry, tar } from '../harness/tar.ts'

let registry: TestRegistry
let proxy: CountingProxy

beforeAll(async () => {
  registry = await startRegistry()
  proxy = await countingProxy(registry.address)
  const folder = registry.scratch.path
  const noise = Array.from({ length: 60_000 }, (_, at) => createHash('sha256').update(String(at)).digest())
  const layer = tar(
    entry({ path: 'data', body: Buffer.concat(noise), mtime: 1_700_000_000.25 }),
    entry({ path: Buffer.from([0x61, 0xff]), body: Buffer.from('odd') }),
    'dir d 01777',
    'hard d/hard -> data',
    'file d/zeros 200000 fill=%00 x:user.a=b',
  )
  writeFileSync(join(folder, 'layer.tar'), layer)
  const root = await newerRoot('sid')
  const podman = (...args: string[]) => {
    const own = ['--root', join(folder, 'storage'), '--runroot', join(folder, 'run'), '--events-backend=none']
    const [program, all] = enter(root, folder, 'podman', [...own, ...args])
    return command(program, all, { env: { ...process.env, PATH: pathInside, HOME: folder } })
  }
  await podman('import', '--quiet', join(folder, 'layer.tar'), 'localhost/x:1')
  const how = ['-q', '--tls-verify=false', '--compression-format', 'zstd:chunked']
  await podman('push', ...how, 'localhost/x:1', `docker://${registry.address}/x:1`)
})
afterAll(async () => {
  await proxy?.stop()
  await registry?.stop()
})

test('the table and the tar-split say what the whole layer says, in a fiftieth of its bytes', async () => {
  const reference = `docker://${proxy.address}/x:1`
  const analyze = (name: string, ...args: string[]) =>
    analyzeJson(reference, {
      args: ['--tls-verify=false', ...args],
      env: { XDG_CACHE_HOME: join(registry.scratch.path, name) },
    })
  const quick = await analyze('quick')
  const { bytes } = proxy.counted()
  expect(bytes).toBeLessThan(Number(quick.bytes.compressed) / 50)
  expect(quick.anomalies).toEqual([])
  expect(quick).toEqual(await analyze('whole', '--verify'))
})
