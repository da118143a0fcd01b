/** Layers into directories: overlayfs's form of whiteouts, metadata, and nothing outside whatever the tar says. */
import { execFileSync, spawn } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { until } from '../harness/command.ts'
import { entry, type Piece, pax, tar, tarWithoutEnd } from '../harness/tar.ts'
import { errorOf, helper, helperPath } from './helper.ts'
import { outputOf, type Room } from './room.ts'
import { asEverybody } from './suite.ts'

/** Unpacks one layer that lies on nothing that the helper knows, gives what is there, and removes it. */
async function unpacked(room: Room, layer: Uint8Array, look: (folder: string) => unknown, options: string[] = []) {
  const into = join(room.path, 'one-layer')
  const result = await helper(room.who, ['unpack', ...options, into], { input: layer })
  if (result.code !== 0) {
    expect(existsSync(into)).toBe(false)
    return `refused: ${errorOf(result)}`
  }
  try {
    return look(into)
  } finally {
    outputOf(await helper(room.who, ['rm', into]))
  }
}

/** Every path below a folder with what it is: "a/ b -> target c=3 d!" for a directory, a link, a file of 3 bytes, a whiteout. */
function listing(folder: string, below = ''): string {
  const lines = readdirSync(join(folder, below))
    .sort()
    .flatMap(name => {
      const path = join(below, name)
      const own = lstatSync(join(folder, path))
      if (own.isSymbolicLink()) return [`${path} -> ${readlinkSync(join(folder, path))}`]
      if (own.isCharacterDevice() && own.rdev === 0) return [`${path}!`]
      if (!own.isDirectory()) return [`${path}=${own.isFile() ? own.size : own.isFIFO() ? 'fifo' : 'device'}`]
      const inside = listing(folder, path)
      return [`${path}/${opaque(join(folder, path)) ? '*' : ''}`, ...(inside === '' ? [] : [inside])]
    })
  return lines.join(' ')
}

function opaque(folder: string): boolean {
  return /overlay\.opaque="?0?x?(y|79)/.test(
    execFileSync('getfattr', ['-d', '-m', '-', folder], { stdio: 'pipe' }).toString(),
  )
}

asEverybody('unpack', (room, kind) => {
  const list = (layer: Uint8Array, ...options: string[]) => unpacked(room(), layer, listing, options)

  test.each([
    [
      'files, directories, links',
      'dir a\nfile a/f 3\nlink l -> a/f\nhard h -> a/f\nfifo p',
      'a/ a/f=3 h=3 l -> a/f p=fifo',
    ],
    ['leading, doubled and trailing slashes, "."', 'file ./a//b/./c 1\ndir /d/', 'a/ a/b/ a/b/c=1 d/'],
    ['a whiteout', 'gone a/b', 'a/ a/b!'],
    ['a whiteout and its name in the same layer, either way round', 'file a 1\ngone a\ngone b\nfile b 1', 'a=1 b=1'],
    ['a whiteout of a directory that the layer has makes it opaque', 'dir a\nfile a/x 1\ngone a', 'a/* a/x=1'],
    ['a directory after its whiteout is opaque', 'gone a\ndir a\nfile a/x 1', 'a/* a/x=1'],
    ['a directory that is only implied after its whiteout is opaque', 'gone a\nfile a/x 1', 'a/* a/x=1'],
    [
      'an opaque mark before and after its children, without whiteouts inside',
      'opaque a\nfile a/x 1\ngone a/y\ndir b\ngone b/z\nopaque b',
      'a/* a/x=1 b/*',
    ],
    ['a whiteout below a whiteout', 'gone a\ngone a/b', 'a!'],
    [
      'a bare .wh. is a file, other marks of AUFS are nothing',
      'file .wh. 1\nfile .wh..wh.plnk 1\nfile .wh..wh.orph 1',
      '.wh.=1',
    ],
    ['the last of two entries wins', 'file a 1\nfile a 2\ndir b\nfile b 1\nfile c 1\ndir c', 'a=2 b=1 c/'],
    ['a file that becomes a directory by a deeper name', 'file a 1\nfile a/b 2', 'a/ a/b=2'],
    [
      'names behind a link of the same layer land where it leads',
      'dir usr\nlink lib -> usr\nfile lib/x 1',
      'lib -> usr usr/ usr/x=1',
    ],
  ])('%s', async (_, lines, expected) => {
    expect(await list(tar(lines))).toBe(expected)
  })

  test('the bottom layer keeps no marks', async () => {
    expect(await list(tar('file a/x 1\ngone a/y\nopaque a\ngone b'), '--bottom')).toBe('a/ a/x=1')
  })

  test.each<[string, string | Piece, RegExp | string]>([
    ['climbs', 'file ../x 1', /climbs/],
    ['climbs in the middle', 'file a/../../x 1', /climbs/],
    ['is a whiteout of ".."', 'file .wh... 1', /a whiteout of/],
    ['makes the root a link (CVE-2021-29136)', 'link . -> /tmp', /root of a layer must be a directory/],
    ['links to what is not there', 'hard a -> etc/shadow', /hard link to what does not exist/],
    ['links to a climbing name', 'hard a -> ../../../../etc/passwd', /a hard link to a name that can not be/],
    ['links to a directory', 'dir d\nhard a -> d', /hard link to a directory/],
    ['has an owner of 2^32 (CVE-2024-40635)', pax([['uid', '4294967296']]), /an owner that is no id/],
    [
      'has a sparse map larger than itself',
      entry({
        path: 's',
        body: Buffer.alloc(512),
        pax: [
          ['GNU.sparse.map', '0,999'],
          ['GNU.sparse.size', '10'],
        ],
      }),
      /a sparse map/,
    ],
    ['has a component too long', `file ${'x'.repeat(300)} 1`, /[Ff]ile ?name too long/],
  ])('refused, and nothing left: an entry that %s', async (_, piece, message) => {
    const layer = tar('dir first\nfile first/x 10', piece)
    expect(await list(layer)).toMatch(message)
  })

  test.each([
    ['a directory', 'link a -> CANARY\nfile a/x 1', 'CANARY/x'],
    ['an absolute link to a file, written through', 'link a -> CANARY/file\nfile a 5', 'CANARY/file'],
    ['a relative link with many ups', `link a -> ${'../'.repeat(20)}CANARY\nfile a/x 1`, 'CANARY/x'],
    ['a link that is replaced', 'dir a\nlink a -> CANARY\ndir a\nfile a/x 1', 'CANARY/x'],
    ['a hard link to a link, then through it', 'link a -> CANARY\nhard b -> a\nfile b/x 1', 'CANARY/x'],
    ['two links', 'link a -> b\nlink b -> CANARY\nfile a/x 1', 'CANARY/x'],
    ['a chmod through a link (CVE-2021-32760)', 'link a -> CANARY/file\nfile a 0 07777', 'CANARY/file'],
    ['an opaque mark through a link', 'link a -> CANARY\nopaque a', 'CANARY'],
    ['a whiteout through a link', 'link a -> CANARY\ngone a/file', 'CANARY/file'],
    ['a magic link', 'link a -> /proc/self/cwd\nfile a/x 1', 'CANARY/x'],
  ])('never outside: %s', async (_, lines) => {
    const canary = mkdtempSync(join(tmpdir(), 'strata-canary-'))
    try {
      writeFileSync(join(canary, 'file'), 'as it was', { mode: 0o644 })
      const state = () => [
        readdirSync(canary),
        readFileSync(join(canary, 'file'), 'utf8'),
        lstatSync(join(canary, 'file')).mode,
        opaque(canary),
      ]
      const before = state()
      await list(tar(lines.replaceAll('CANARY', canary)))
      expect(state()).toEqual(before)
    } finally {
      rmSync(canary, { recursive: true })
    }
  })

  test('modes with set-id bits, times to the nanosecond, also of directories, links and before 1970', async () => {
    const layer = tar(
      'dir d 01755 mtime=100.25\nfile d/f 3 06755 mtime=-5\nlink d/l -> f mtime=7',
      entry({ path: 'd/n', body: Buffer.from('x'), pax: [['mtime', '3.123456789']] }),
    )
    const of = (path: string) => {
      const { mode, mtimeNs } = lstatSync(path, { bigint: true })
      return `${(mode & 0o7777n).toString(8)} ${mtimeNs}`
    }
    expect(
      await unpacked(room(), layer, folder => ['d', 'd/f', 'd/l', 'd/n'].map(name => of(join(folder, name)))),
    ).toEqual(['1755 100250000000', '6755 -5000000000', '777 7000000000', '644 3123456789'])
  })

  test('owners: as they are, shifted into the sub-ids, or all one', async () => {
    const layer = tar('file a 1 33:44\nfile b 1 3000000000:70000')
    const ids = (folder: string) =>
      ['a', 'b'].map(name => lstatSync(join(folder, name))).map(({ uid, gid }) => [uid, gid])
    const { uid, gid } = room().who
    const expected = {
      root: [
        [33, 44],
        [3_000_000_000, 70_000],
      ],
      'sub-ids': [
        [900_000_032, 900_000_043],
        [900_065_533, 900_065_533],
      ],
      'single id': [
        [uid, gid],
        [uid, gid],
      ],
    }[kind]
    expect(await unpacked(room(), layer, ids)).toEqual(expected)
  })

  test('attributes of files are kept, forged ones of overlayfs are not', async () => {
    const forged = [
      'trusted.overlay.opaque',
      'trusted.overlay.redirect',
      'user.overlay.metacopy',
      'user.overlay.whiteout',
    ]
    const layer = tar(
      entry({
        path: 'a',
        type: 'dir',
        xattrs: { 'user.key': 'value', ...Object.fromEntries(forged.map(name => [name, 'y'])) },
      }),
    )
    const names = (folder: string) => {
      const said = execFileSync('getfattr', ['-d', '-m', '-', '--absolute-names', join(folder, 'a')], {
        stdio: 'pipe',
      }).toString()
      return said
        .split('\n')
        .filter(line => line.includes('='))
        .map(line => line.split('=')[0])
    }
    const escaped = forged
      .map(name => name.replace('overlay.', 'overlay.overlay.'))
      .filter(name => kind === 'root' || name.startsWith('user.'))
    expect(await unpacked(room(), layer, names)).toEqual([...escaped, 'user.key'].sort())
  })

  test('devices: real ones for root, empty files nobody can open otherwise; 0:0 is no way to forge a whiteout', async () => {
    expect(await list(tar('char null 1,3\nblock disk 8,0\nchar forged 0,0'))).toBe(
      kind === 'root' ? 'disk=device null=device' : 'disk=0 null=0',
    )
  })

  test('sparse files have their holes', async () => {
    const body = Buffer.from('datatail')
    const layer = tar(
      entry({
        path: 's',
        body,
        pax: [
          ['GNU.sparse.map', '1000000,4,1999996,4'],
          ['GNU.sparse.size', '2000000'],
          ['GNU.sparse.name', 'holes'],
        ],
      }),
    )
    const look = (folder: string) => {
      const bytes = readFileSync(join(folder, 'holes'))
      return [bytes.length, bytes.indexOf('data'), bytes.indexOf('tail'), lstatSync(join(folder, 'holes')).blocks < 100]
    }
    expect(await unpacked(room(), layer, look)).toEqual([2_000_000, 1_000_000, 1_999_996, true])
  })

  test('budgets: bytes and entries', async () => {
    expect(await list(tar('file a 1000\nfile b 1000'), '--max-bytes', '1500')).toMatch(/more than 1500 bytes/)
    expect(await list(tar('file a 1\nfile b 1\nfile c 1'), '--max-entries', '2')).toMatch(/more than 2 entries/)
  })

  test('a tar that ends too early, anywhere, is an error and leaves nothing', async () => {
    const whole = tarWithoutEnd('dir d', entry({ path: `d/${'n'.repeat(150)}`, body: Buffer.alloc(700) }))
    for (let end = 1; end < whole.length; end += 97) {
      if (end % 512 === 0) continue
      expect(await list(whole.subarray(0, end))).toMatch(/^refused: /)
    }
  })

  test('one that is told to end takes back what it began', async () => {
    const into = join(room().path, 'given-up')
    const { uid, gid } = room().who
    const run = spawn(helperPath, ['unpack', into], { uid, gid, stdio: ['pipe', 'ignore', 'pipe'] })
    run.stdin.on('error', () => {})
    run.stdin.write(tarWithoutEnd('dir d\nfile d/f 1000\nfile e 100000').subarray(0, 60_000))
    await until(() => existsSync(join(into, 'e')))
    run.kill('SIGTERM')
    expect(await new Promise(resolve => run.once('close', resolve))).toBe(1)
    expect(existsSync(into)).toBe(false)
  })

  test('a hard link to a file of a lower layer takes the file along', async () => {
    const { layers } = room()
    expect((await room().add(tar('file low/f 5 0640'))).code).toBe(0)
    expect((await room().add(tar('hard link -> low/f'))).code).toBe(0)
    const made = [join(layers[0], 'link'), join(layers[0], 'low/f')].map(path => lstatSync(path))
    expect([made[0].ino === made[1].ino, made[0].size, made[0].mode & 0o7777]).toEqual([true, 5, 0o640])
    layers.splice(0, 2)
  })

  test('a directory that is only implied looks as the one below', async () => {
    const { layers } = room()
    await room().add(tar('dir low 0711 mtime=1000'))
    await room().add(tar('file low/f 5'))
    const own = lstatSync(join(layers[0], 'low'))
    expect([own.mode & 0o7777, own.mtimeMs]).toEqual([0o711, 1_000_000])
    layers.splice(0, 2)
  })

  test('what containers leave is removed: owners of their own, modes of 0, trees of any depth', async () => {
    const script =
      'mkdir -m 0 /closed; cd /tmp; i=0; while [ $i -lt 1200 ]; do mkdir deep; cd deep; i=$((i+1)); done; touch x'
    outputOf(await room().run({ args: ['sh', '-c', script] }))
  })
})
