/** `strata shell --engine`: a step of an image inside of a daemon that has its layers, which has nothing more afterwards. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { node } from '../harness/bundle.ts'
import { tryCommand } from '../harness/command.ts'
import { buildImage, importBusybox } from '../harness/engine-images.ts'
import { startDocker, startPodman, type TestEngine } from '../harness/engines.ts'
import { program } from '../harness/strata.ts'

describe.each([
  ['docker', startDocker, 'classic'],
  ['podman', startPodman, 'podman'],
] as const)('inside of %s', (engine, start, builder) => {
  let real: TestEngine
  beforeAll(async () => {
    real = await start()
    await importBusybox(real)
    const dockerfile = 'FROM busybox:test\nENV A=1\nRUN echo one > /one\nENV A=2\nWORKDIR /w\nRUN echo two > /two\n'
    await buildImage(real, { tag: 'steps:1', builder, dockerfile })
  })
  afterAll(() => real?.stop())

  const shell = (...args: string[]) => {
    const env = {
      PATH: process.env.PATH,
      HOME: '/nonexistent',
      [engine === 'docker' ? 'DOCKER_HOST' : 'CONTAINER_HOST']: `unix://${real.socket}`,
      XDG_CACHE_HOME: '/tmp',
    }
    return tryCommand(node, [program(), 'shell', '--engine', engine, ...args], { env })
  }
  const held = async () =>
    [await real.cli('images', '-aq'), await real.cli('ps', '-aq')].map(ids => ids.split('\n').sort())

  test.each([
    ['steps:1@3', '1 /\none\n'],
    ['steps:1', '2 /w\none\ntwo\n'],
  ])('%s has what was there then, its environment and its directory', async (reference, said) => {
    const before = await held()
    const { code, stdout, stderr } = await shell(
      reference,
      '--',
      'sh',
      '-c',
      'echo $A $PWD; cat /one /two 2>/dev/null; exit 5',
    )
    expect([code, stderr, stdout.toString()]).toEqual([5, '', said])
    expect(await held()).toEqual(before)
  })

  test('without a command, the best shell there is', async () => {
    const before = await held()
    const env = {
      PATH: process.env.PATH,
      HOME: '/nonexistent',
      [engine === 'docker' ? 'DOCKER_HOST' : 'CONTAINER_HOST']: `unix://${real.socket}`,
      XDG_CACHE_HOME: '/tmp',
    }
    const args = [program(), 'shell', '--engine', engine, 'steps:1@3']
    const { code, stdout } = await tryCommand(node, args, { env, input: 'cat /one\nexit 3\n' })
    expect([code, stdout.toString()]).toEqual([3, 'one\n'])
    expect(await held()).toEqual(before)
  })

  test('an image whose layers the engine does not have is refused, and nothing is left', async () => {
    const before = await held()
    const { code, stderr } = await shell('sample', '--', 'true')
    expect(code).toBe(125)
    expect(stderr).toContain('does not have the layers of sample')
    expect(await held()).toEqual(before)
  })
})
