/** One image, read in every way that there is: `analyze --json` says the same of it. */
import { chmodSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asUser } from '../harness/as-user.ts'
import { command } from '../harness/command.ts'
import { dockerArchive, dockerShapes } from '../harness/docker-archives.ts'
import { startDocker, startPodman, type TestEngine } from '../harness/engines.ts'
import { type EveryAnalysis, everyAnalysis } from '../harness/every-analysis.ts'
import { everyKind, everyKindName, everySparseName } from '../harness/every-kind.ts'
import { writeTree } from '../harness/images.ts'
import { ociArchive, ociFiles } from '../harness/oci-layouts.ts'

let every: EveryAnalysis

beforeAll(async () => {
  every = await everyAnalysis()
})
afterAll(() => every?.close())

test('the image has every cause of waste but one, which engines refuse to load; and oddities', () => {
  const { waste, anomalies, entries } = JSON.parse(every.expected.none)
  const causes = new Set(waste.map((row: { cause: string }) => row.cause))
  expect([...causes].sort()).toEqual(['deleted', 'opaque', 'overwritten', 'replaced'])
  expect(anomalies.length).toBeGreaterThan(0)
  expect(entries.stored).toBeGreaterThan(60)
})

describe.each(['none', 'all'] as const)('as files, sparse ones: %s', sparse => {
  test.each(dockerShapes.filter(shape => shape !== 'docker-1.9'))('docker-archive as of %s', async shape => {
    const path = every.put('shape.tar', dockerArchive(everyKind('none', sparse), shape))
    await every.expectSame(path, 'docker-archive', { sparse })
  })

  test.each(['none', 'gzip', 'zstd'] as const)('OCI layout and archive, compression %s', async compression => {
    const items = [{ image: everyKind(compression, sparse), tag: 'any' }]
    const archive = every.put('oci.tar', ociArchive(items))
    const layout = join(dirname(archive), `layout-${sparse}-${compression}`)
    writeTree(layout, ociFiles(items))
    await every.expectSame(layout, 'oci', { sparse })
    await every.expectSame(archive, 'oci-archive', { sparse })
  })
})

test('skopeo’s conversion to OCI with zstd', async () => {
  const { none } = every.archives
  const layout = `${none}.skopeo`
  await command('skopeo', ['copy', '--dest-compress-format=zstd', `docker-archive:${none}`, `oci:${layout}:1`])
  await every.expectSameButId(layout, 'oci')
})

describe.each([
  ['docker with overlay2', 'docker', () => startDocker()],
  ['docker with vfs', 'docker', () => startDocker({ driver: 'vfs' })],
  ['podman as root', 'podman', () => startPodman()],
  ['podman of a user', 'podman', () => startPodman({ rootless: true })],
] as const)('%s', (_, kind, start) => {
  let engine: TestEngine
  let env: NodeJS.ProcessEnv

  beforeAll(async () => {
    engine = await start()
    env = { DOCKER_HOST: `unix://${engine.socket}` }
    for (const archive of [every.archives.none, every.archives.pax]) await engine.cli('load', '-i', archive)
    chmodSync(engine.scratch.path, 0o755)
    chmodSync(engine.socket, 0o666)
  })
  afterAll(() => engine?.stop())

  test('from its store', async () => {
    const source = kind === 'docker' ? 'docker-store' : 'containers-storage'
    await every.expectSame(everyKindName, source, { env })
    await every.expectSame(everySparseName, source, { env, sparse: 'pax' })
  })

  test('through its socket alone: what it exports, and what a helper container hands out', async () => {
    const back = asUser()
    try {
      await every.expectSame(everyKindName, `${kind}-save`, { env })
      await every.expectSame(everyKindName, `${kind}-helper`, { env, args: ['--fast-remote'] })
    } finally {
      back()
    }
    expect(await engine.cli('ps', '-aq')).toBe('')
  })

  test('as it saves it into a file', async () => {
    const folder = kind === 'docker' ? engine.scratch.path : join(engine.scratch.path, 'home')
    const saved = join(folder, 'saved.tar')
    await engine.cli('save', '-o', saved, everyKindName)
    await every.expectSame(saved, 'docker-archive')
    if (kind === 'docker') return
    const layout = join(folder, 'saved.oci.tar')
    await engine.cli('save', '--format', 'oci-archive', '-o', layout, everyKindName)
    await every.expectSameButId(layout, 'oci-archive')
  })
})
