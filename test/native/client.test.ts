/** The client in src/runtime against the real helper. */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { emptyRun } from '../../src/image/config.ts'
import { type ContainerWish, containerConfig } from '../../src/runtime/bundle.ts'
import { features } from '../../src/runtime/features.ts'
import { removeTrees, unpackLayer } from '../../src/runtime/layers.ts'
import { upperChanges } from '../../src/runtime/upper-changes.ts'
import { tar } from '../harness/tar.ts'
import { buildHelper, helperPath, missingForNative, root } from './helper.ts'
import { makeRoom } from './room.ts'

const plain: ContainerWish = {
  lower: ['/l2', '/l1'],
  writable: { upper: '/u', work: '/w', throwAway: true },
  command: null,
  entrypoint: null,
  env: [],
  user: null,
  workingDir: null,
  hostname: 'box',
  terminal: false,
  network: 'none',
  readOnlyRoot: false,
  volumes: [],
}

describe('config.json of an image and a wish', () => {
  const of = (run: object, wish: object) =>
    containerConfig({ ...emptyRun(), ...run }, { ...plain, ...wish }) as {
      process: { args: string[]; env: string[]; cwd: string }
      linux: { namespaces: { type: string }[] }
      strata: { user: string }
    }

  test.each([
    [{ cmd: ['a'] }, {}, ['a']],
    [{ entrypoint: ['e'], cmd: ['a'] }, {}, ['e', 'a']],
    [{ entrypoint: ['e'], cmd: ['a'] }, { command: ['b'] }, ['e', 'b']],
    [{ entrypoint: ['e'], cmd: ['a'] }, { entrypoint: ['f'] }, ['f']],
    [{ entrypoint: ['e'], cmd: ['a'] }, { entrypoint: [], command: ['b'] }, ['b']],
  ])('the command of %j with %j is %j', (run, wish, args) => {
    expect(of(run, wish).process.args).toEqual(args)
  })

  test('an image without a command says so', () => {
    expect(() => of({}, {})).toThrow('The image has no command of its own.')
  })

  test('environment, directory, user, network', () => {
    const config = of(
      { cmd: ['a'], env: ['A=1', 'B=2'], workingDir: '/w', user: 'web' },
      { env: ['B=3'], network: 'host' },
    )
    expect(config.process.env.slice(1)).toEqual(['HOSTNAME=box', 'A=1', 'B=3'])
    expect([config.process.cwd, config.strata.user]).toEqual(['/w', 'web'])
    expect(config.linux.namespaces.some(({ type }) => type === 'network')).toBe(false)
  })
})

describe.skipIf(missingForNative() !== null)('the helper', () => {
  beforeAll(() => {
    buildHelper()
    process.env.STRATA_NATIVE_HELPER = helperPath
  })
  const folder = () => {
    const path = mkdtempSync(join(tmpdir(), 'strata-client-'))
    onTestFinished(() => rmSync(path, { recursive: true, force: true }))
    return path
  }

  test('says what the machine can do', async () => {
    expect(await features()).toMatchObject({ root: true, overlay: { mounts: true } })
  })

  test('unpacks, tells what an upper directory changes, removes', async () => {
    const path = folder()
    const layer = join(path, 'layer')
    const unpacked = await unpackLayer(Readable.from([tar('dir a\nfile a/f 3')]), layer, { lower: [] })
    expect(unpacked).toMatchObject({ entries: 2, bytes: 3 })
    mkdirSync(join(path, 'upper/new'), { recursive: true })
    const found: string[] = []
    for await (const { change, path: name } of upperChanges(join(path, 'upper'), [layer]))
      found.push(`${change} ${Buffer.from(name)}`)
    expect(found).toEqual(['A /new'])
    await removeTrees([layer, join(path, 'upper')])
    await expect(unpackLayer(Readable.from([tar('file ../x 1')]), layer, { lower: [] })).rejects.toThrow(/climbs/)
  })

  test('stops when it is told to, and leaves nothing', async () => {
    const path = folder()
    const controller = new AbortController()
    const endless = new Readable({
      read() {
        this.push(tar('file a 100000').subarray(0, 4096))
        setImmediate(() => controller.abort())
      },
    })
    await expect(unpackLayer(endless, join(path, 'layer'), { lower: [], signal: controller.signal })).rejects.toThrow()
    endless.destroy()
    expect(existsSync(join(path, 'layer'))).toBe(false)
  })

  test('runs what containerConfig makes', async () => {
    const room = await makeRoom(root)
    try {
      const bundle = room.bundle({ args: ['true'] })
      const writable = { upper: join(bundle, 'upper'), work: join(bundle, 'work'), throwAway: true }
      const wish = { ...plain, lower: room.layers, writable, command: ['sh', '-c', 'echo $HOSTNAME; touch /x; exit 4'] }
      const { writeFileSync } = await import('node:fs')
      const { helper } = await import('./helper.ts')
      writeFileSync(
        join(bundle, 'config.json'),
        JSON.stringify(containerConfig({ ...emptyRun(), env: ['PATH=/bin'] }, wish)),
      )
      const result = await helper(root, ['run', '--foreground', '--bundle', bundle, 'x'])
      expect([result.code, result.stdout.toString()]).toEqual([4, 'box\n'])
      expect(await room.diff()).toEqual(['A /x'])
    } finally {
      await room.remove()
    }
  })
})
