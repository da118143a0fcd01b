/** The native store in use: by everybody, by several at once, killed at any moment, on a disk that is full or can not be written. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { placesOf } from '../../src/runtime/places.ts'
import { storeFolder } from '../../src/runtime/store/folder.ts'
import { readImages } from '../../src/runtime/store/index.ts'
import { node } from '../harness/bundle.ts'
import { tryCommand, until } from '../harness/command.ts'
import { dockerArchive } from '../harness/docker-archives.ts'
import { archive } from '../harness/images.ts'
import { ociArchive, ociFiles } from '../harness/oci-layouts.ts'
import { entry, tar } from '../harness/tar.ts'
import { buildHelper, helperPath, type Identity, makeIdentities, missingForNative } from './helper.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const roomFixture = fileURLToPath(new URL('../harness/fixtures/layer-room.ts', import.meta.url))

/** Bodies that no compression makes small, owners of their own, directories that only their owner may look into. */
const bottom = tar(
  'dir closed 0700 7:7\nfile closed/in 3 0600 7:7\ndir d\nfile d/gone 5\nfile setuid 4 04755',
  entry({ path: 'd/big', body: randomBytes(6 << 20) }),
  ...Array.from({ length: 300 }, (_, at) => entry({ path: `d/file-${at}`, body: randomBytes(2000) })),
)
const top = tar('gone d/gone\nhard d/again -> d/big', entry({ path: 'more', body: randomBytes(3 << 20) }))

const kinds: Identity['kind'][] = ['root', 'sub-ids', 'single id']

describe.skipIf(missingForNative() !== null)('the store', () => {
  let made: ReturnType<typeof makeIdentities>
  let folder: string
  beforeAll(() => {
    buildHelper()
    made = makeIdentities()
    folder = mkdtempSync(join(tmpdir(), 'strata-store-'))
    execFileSync('chmod', ['755', folder])
    const image = { layers: [{ tar: bottom, compression: 'gzip' as const }, top] }
    writeFileSync(join(folder, 'app.tar'), ociArchive([{ image, tag: 'app:1' }]))
    writeFileSync(
      join(folder, 'plain.tar'),
      dockerArchive({ layers: [bottom, top], names: ['plain:1'], config: { Cmd: ['x'] } }, 'docker-1.10'),
    )
  })
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
    made.remove()
  })

  /** A store of somebody's own. */
  function storeOf(who: Identity, root = mkdtempSync(join(folder, 'root-'))) {
    chownSync(root, who.uid, who.gid)
    const env = { PATH: process.env.PATH, HOME: root, STRATA_ROOT: root, STRATA_NATIVE_HELPER: helperPath }
    const ids = who.kind === 'root' ? {} : { uid: who.uid, gid: who.gid }
    const store = {
      root,
      places: placesOf({ STRATA_ROOT: root }, root, false),
      folder: storeFolder(placesOf({ STRATA_ROOT: root }, root, false)),
      /** The command line, as this user. */
      async strata(...args: string[]) {
        const { code, stdout, stderr } = await tryCommand(node, [...flags, main, ...args], { env, cwd: folder, ...ids })
        return { code, out: stdout.toString(), err: stderr }
      },
      start: (...args: string[]) =>
        spawn(node, [...flags, main, ...args], { env, cwd: folder, stdio: 'ignore', ...ids }),
      startRoom: (name: string) =>
        spawn(node, [...flags, roomFixture, name], { env, stdio: ['pipe', 'pipe', 'inherit'], ...ids }),
      /** Holds the layers of an image until it is let go. */
      async room(name: string) {
        const child = store.startRoom(name)
        const [line] = await once(createInterface({ input: child.stdout! }), 'line')
        const leave = async () => {
          child.stdin!.end()
          await ended(child)
        }
        return { ...(JSON.parse(line) as { from: string; lower: string[] }), leave }
      },
      images: () => readImages(store.folder),
      /** Names of what is where; blobs that are not what they are called are told. */
      contents() {
        const blobs = names(store.folder.blobs)
        const sum = (name: string) => createHash('sha256').update(readFileSync(join(store.folder.blobs, name)))
        expect(blobs.filter(name => sum(name).digest('hex') !== name)).toEqual([])
        return { blobs, layers: names(store.folder.layers), work: names(join(store.folder.root, 'work')) }
      },
      /** All images have all their blobs. */
      expectWhole() {
        const { blobs } = store.contents()
        for (const image of store.images())
          expect(blobs).toEqual(expect.arrayContaining([image.id, image.manifest].map(one => one.slice(7))))
        for (const layer of store.images().flatMap(image => image.layers))
          expect(blobs).toContain(layer.digest.slice(7))
      },
    }
    return store
  }

  describe.each(kinds)('of a user of the kind “%s”', { timeout: 300_000 }, kind => {
    const who = () => made.identities.find(one => one.kind === kind)!

    test('takes images in, makes directories of their layers once, and gives all of it back', async () => {
      const store = storeOf(who())
      expect(await store.strata('load', '-i', 'app.tar')).toMatchObject({ code: 0, out: 'Loaded image: app:1\n' })
      const first = await store.room('app:1')
      expect(first.from).toBe('store')
      expect(first.lower.map(path => existsSync(path))).toEqual([true, true])
      expect(statSync(join(first.lower[0], 'd/again')).size).toBe(6 << 20)
      const made = first.lower.map(path => statSync(path).ino)
      await first.leave()
      const again = await store.room('app:1')
      expect(again.lower.map(path => statSync(path).ino)).toEqual(made)

      // What is in use is not taken away; what it was made of is.
      expect(await store.strata('rmi', 'app:1')).toMatchObject({ code: 0, err: '' })
      expect(store.contents()).toMatchObject({ blobs: [], layers: [expect.any(String), expect.any(String)] })
      await again.leave()
      const { out } = await store.strata('prune', '--engine', 'native', '-f', '--json')
      expect(JSON.parse(out)).toMatchObject({ removed: [{ kind: 'layer' }, { kind: 'layer' }] })
      expect(JSON.parse(out).bytes).toBeGreaterThan(9 << 20)
      expect(store.contents()).toEqual({ blobs: [], layers: [], work: [] })
    })

    test('is whole whenever its Strata is killed, and the next one goes on', async () => {
      const store = storeOf(who())
      const start = performance.now()
      await store.strata('load', '-i', 'app.tar')
      const whole = performance.now() - start
      await store.strata('rmi', 'app:1')
      for (let run = 0; run < 6; run++) {
        const child = store.start('load', '-i', 'app.tar')
        await setTimeout(whole * (0.3 + (0.7 * run) / 6))
        child.kill('SIGKILL')
        await ended(child)
        store.expectWhole()
        const removing = store.start('rmi', 'app:1')
        await setTimeout(whole * (0.3 + (0.4 * run) / 6))
        removing.kill('SIGKILL')
        await ended(removing)
        store.expectWhole()
        if (store.images().length > 0) expect((await store.strata('rmi', 'app:1')).code).toBe(0)
      }
      expect(await store.strata('load', '-i', 'app.tar')).toMatchObject({ code: 0, err: '' })
      store.expectWhole()
      for (let run = 0; run < 5; run++) {
        const child = store.startRoom('app:1')
        await setTimeout(whole * (0.4 + 0.1 * run))
        child.kill('SIGKILL')
        await ended(child)
        for (const layer of store.contents().layers)
          expect(existsSync(join(store.folder.layers, layer, 'about.json'))).toBe(true)
      }
      const room = await store.room('app:1')
      expect(statSync(join(room.lower[0], 'd/again')).size).toBe(6 << 20)
      await room.leave()
      expect((await store.strata('prune', '--engine', 'native', '-f', '--all')).code).toBe(0)
      expect(store.contents()).toMatchObject({ blobs: [], layers: [] })
      await until(() => store.contents().work.length === 0)
    })

    test('is shared by several Stratas at once', async () => {
      const store = storeOf(who())
      const loads = await Promise.all(
        ['app.tar', 'plain.tar', 'app.tar', 'plain.tar'].map(name => store.strata('load', '-i', name)),
      )
      expect(loads.map(({ code, err }) => [code, err])).toEqual(loads.map(() => [0, '']))
      expect(
        store
          .images()
          .flatMap(image => image.names)
          .sort(),
      ).toEqual(['docker.io/library/app:1', 'docker.io/library/plain:1'])
      const rooms = await Promise.all(['app:1', 'app:1', 'plain:1'].map(name => store.room(name)))
      expect(new Set(rooms.map(room => room.lower.join())).size).toBe(1)
      const [removed, tagged] = await Promise.all([
        store.strata('rmi', 'app:1'),
        store.strata('tag', 'plain:1', 'also:1'),
      ])
      expect([removed.code, tagged.code]).toEqual([0, 0])
      store.expectWhole()
      for (const room of rooms) await room.leave()
      expect((await store.strata('rmi', '-f', 'plain:1', 'also:1')).code).toBe(0)
      expect((await store.strata('prune', '--engine', 'native', '-f')).code).toBe(0)
      expect(store.contents()).toEqual({ blobs: [], layers: [], work: [] })
    })
  })

  test('says that the disk is full, and keeps nothing half', async () => {
    const at = mkdtempSync(join(folder, 'full-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=14m', 'tmpfs', at])
    try {
      const store = storeOf(made.identities[0], at)
      expect((await store.strata('load', '-i', 'app.tar')).code).toBe(0)
      const before = store.contents()
      const { code, err } = await store.strata('load', '-i', 'plain.tar')
      expect([code, err]).toEqual([1, expect.stringMatching(/can not be written: no space left on the device/)])
      const unpacked = await store.strata('shell', 'strata:app:1', '--', 'true')
      expect(unpacked.err).toMatch(/No space left|full/i)
      expect(store.contents()).toEqual(before)
      expect(await store.strata('images', '--engine', 'native')).toMatchObject({ code: 0, err: '' })
    } finally {
      execFileSync('umount', [at])
    }
  })

  test('can be read where it can not be written', async () => {
    const store = storeOf(made.identities[0])
    await store.strata('load', '-i', 'plain.tar')
    execFileSync('mount', ['--bind', store.root, store.root])
    execFileSync('mount', ['-o', 'remount,bind,ro', store.root])
    try {
      expect(await store.strata('tree', 'plain:1', 'closed')).toMatchObject({ code: 0, err: '' })
      expect((await store.strata('images', '--engine', 'native')).out).toContain('plain')
      const { code, err } = await store.strata('load', '-i', 'app.tar')
      expect([code, err]).toEqual([1, expect.stringContaining('it is read-only')])
    } finally {
      execFileSync('umount', [store.root])
    }
  })

  test('is closed to everybody else', async () => {
    const store = storeOf(made.identities[0])
    await store.strata('load', '-i', 'plain.tar')
    const other = made.identities[1]
    const { code } = await tryCommand('ls', [store.folder.blobs], { uid: other.uid, gid: other.gid })
    expect(code).not.toBe(0)
  })

  test('an image whose layers are others than it says is not taken in', async () => {
    const store = storeOf(made.identities[0])
    const files = ociFiles([{ image: { layers: [{ tar: top, compression: 'gzip' }] }, tag: 'app:1' }])
    const blob = [...files.keys()].find(name => (files.get(name) as Uint8Array).length > 1 << 20)!
    for (const [name, spoiled] of [
      ['layer.tar', spoil(files.get(blob) as Uint8Array)],
      ['short.tar', (files.get(blob) as Uint8Array).subarray(0, 1 << 20)],
    ] as const) {
      writeFileSync(join(folder, name), archive(new Map([...files, [blob, spoiled]])))
      const { code, err } = await store.strata('load', '-i', name)
      expect([code, err]).toEqual([1, expect.stringMatching(/digest|decompressed|truncated/)])
    }
    writeFileSync(
      join(folder, 'other.tar'),
      dockerArchive(
        { layers: [top], names: ['app:1'], extra: { rootfs: { type: 'layers', diff_ids: [hostile] } } },
        'docker-1.10',
      ),
    )
    const { code, err } = await store.strata('load', '-i', 'other.tar')
    expect([code, err]).toEqual([1, expect.stringContaining('is not what its image says')])
    expect(store.contents().work).toEqual([])
    expect(existsSync(store.folder.images) ? store.images() : []).toEqual([])
  })
})

const hostile = `sha256:${'0'.repeat(64)}`
const flags = ['--disable-warning=ExperimentalWarning']

function spoil(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[copy.length >> 1]! ^= 1
  return copy
}

function names(path: string): string[] {
  return existsSync(path) ? readdirSync(path).sort() : []
}

function ended(child: ChildProcess): Promise<unknown> {
  return child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : once(child, 'close')
}
