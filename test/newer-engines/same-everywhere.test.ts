/** The image of test/engines/same-everywhere.test.ts in the stores of newer engines. */
import { chmodSync, copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asUser } from '../harness/as-user.ts'
import { type DockerOptions, startDocker, startPodman, type TestEngine } from '../harness/engines.ts'
import { type EveryAnalysis, everyAnalysis } from '../harness/every-analysis.ts'
import { everyKindName, everySparseName } from '../harness/every-kind.ts'
import { newerRoot, type Suite } from '../harness/newer-roots.ts'

let every: EveryAnalysis

beforeAll(async () => {
  every = await everyAnalysis()
})
afterAll(() => every?.close())

const docker = async (suite: Suite, driver: DockerOptions['driver']) =>
  startDocker({ root: await newerRoot(suite), driver })
const podman = async (suite: Suite) => startPodman({ root: await newerRoot(suite) })

describe.each([
  ['Docker 28 with containerd’s store', 'docker', 'containerd-store', () => docker('sid', 'containerd')],
  ['Docker 28 with its graph driver', 'docker', 'docker-store', () => docker('sid', 'overlay2')],
  ['Docker 26', 'docker', 'docker-store', () => docker('trixie', 'overlay2')],
  ['Podman 5.8', 'podman', 'containers-storage', () => podman('sid')],
  ['Podman 5.4', 'podman', 'containers-storage', () => podman('trixie')],
] as const)('%s', (_, kind, source, start) => {
  let engine: TestEngine
  let env: NodeJS.ProcessEnv

  beforeAll(async () => {
    engine = await start()
    env = { DOCKER_HOST: `unix://${engine.socket}` }
    for (const archive of [every.archives.none, every.archives.pax]) {
      // Its root file system has its own scratch folder only.
      const inside = join(engine.scratch.path, 'load.tar')
      copyFileSync(archive, inside)
      await engine.cli('load', '-i', inside)
    }
    chmodSync(engine.scratch.path, 0o755)
    chmodSync(engine.socket, 0o666)
  })
  afterAll(() => engine?.stop())

  test('from its store', async () => {
    await every.expectSame(everyKindName, source, { env })
    await every.expectSame(everySparseName, source, { env, sparse: 'pax' })
  })

  test('through its socket alone', async () => {
    const back = asUser()
    try {
      await every.expectSame(everyKindName, `${kind}-save`, { env })
      // Containerd's store has no lists of files that a helper could hand out: it is exported all the same.
      const helped = source === 'containerd-store' ? 'docker-save' : `${kind}-helper`
      await every.expectSame(everyKindName, helped, { env, args: ['--fast-remote'] })
    } finally {
      back()
    }
    expect(await engine.cli('ps', '-aq')).toBe('')
  })

  test('as it saves it into a file', async () => {
    const saved = join(engine.scratch.path, 'saved.tar')
    await engine.cli('save', '-o', saved, everyKindName)
    await every.expectSame(saved, 'docker-archive')
  })
})
