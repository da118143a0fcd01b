/** The command lines of containers: what is read of them, and what a hostile container can not make of it. */
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { parseDetachKeys } from '../../../src/cli/containers/detach-keys.ts'
import { filterOf } from '../../../src/cli/containers/filters.ts'
import { unpackTo } from '../../../src/cli/containers/tar-out.ts'
import { containerVerbs } from '../../../src/cli/containers/verbs.ts'
import { environment, specOf } from '../../../src/cli/containers/wishes.ts'
import { readPlain } from '../../../src/cli/quick.ts'
import type { Container } from '../../../src/engine/containers.ts'
import { scratch } from '../../harness/scratch.ts'
import { tar } from '../../harness/tar.ts'

const verb = (name: string) => containerVerbs.find(one => one.name === name)!

describe('the short way reads what is plain', () => {
  test.each<[string, string[], unknown]>([
    [
      'run',
      ['-it', '--rm', 'a', 'sh', '-c', 'x'],
      { values: ['a', 'sh', '-c', 'x'], options: { interactive: true, tty: true, rm: true } },
    ],
    ['run', ['-eA=1', '-e', 'B=2', '--env=C=3', 'a'], { values: ['a'], options: { env: ['A=1', 'B=2', 'C=3'] } }],
    [
      'run',
      ['--name', 'n', '--network=none', 'a', '--name', 'm'],
      { values: ['a', '--name', 'm'], options: { name: 'n', network: 'none' } },
    ],
    ['logs', ['-f', 'c', '-n5', '-t'], { values: ['c'], options: { follow: true, tail: '5', timestamps: true } }],
    ['ps', ['--no-trunc', '-aq'], { values: [], options: { trunc: false, all: true, quiet: true } }],
    ['stats', ['--no-stream'], { values: [], options: { stream: false } }],
    ['attach', ['--no-stdin', 'c'], { values: ['c'], options: { stdin: false } }],
    ['rm', ['-f', '--', '-c'], { values: ['-c'], options: { force: true } }],
    ['exec', ['-u', '0:0', 'c', 'ls', '-la'], { values: ['c', 'ls', '-la'], options: { user: '0:0' } }],
    ['cp', ['-', 'c:/'], { values: ['-', 'c:/'], options: {} }],
  ])('%s %j', (name, args, read) => expect(readPlain(verb(name), args)).toEqual(read))

  test.each<[string, string[]]>([
    ['run', []],
    ['run', ['--help']],
    ['run', ['--no-such', 'a']],
    ['run', ['-e']],
    ['run', ['--rm=true', 'a']],
    ['exec', ['c']],
    ['ps', ['extra']],
    ['rename', ['a', 'b', 'c']],
  ])('%s %j is for commander', (name, args) => expect(readPlain(verb(name), args)).toBe(null))
})

describe('what is wished of a container', () => {
  test('flags become what an engine takes', () => {
    const options = {
      env: ['A=1'],
      volume: ['./here:/there:ro', 'named:/v'],
      memory: '512m',
      cpus: '1.5',
      entrypoint: '',
      net: 'none',
      rm: true,
    }
    expect(specOf('a', ['x'], options)).toMatchObject({
      image: 'a',
      command: ['x'],
      entrypoint: [],
      env: ['A=1'],
      volumes: [`${process.cwd()}/here:/there:ro`, 'named:/v'],
      memory: 512 * 1024 * 1024,
      cpus: 1.5,
      network: 'none',
      remove: true,
    })
  })

  test('mounts by name', () => {
    const mount = [
      'type=bind,source=/a,target=/b,readonly',
      'type=tmpfs,target=/m,tmpfs-size=1m',
      'type=volume,src=v,dst=/d',
    ]
    expect(specOf('a', [], { mount }).mounts).toEqual([
      { type: 'bind', source: '/a', target: '/b', readOnly: true },
      { type: 'tmpfs', source: '', target: '/m', readOnly: false, tmpfs: { size: 1024 * 1024 } },
      { type: 'volume', source: 'v', target: '/d', readOnly: false },
    ])
  })

  test.each([
    { memory: 'lots' },
    { cpus: 'x' },
    { mount: ['type=bind'] },
    { pidsLimit: '' },
  ])('%j is refused with 125', options => {
    expect(() => specOf('a', [], options)).toThrow(expect.objectContaining({ exitCode: 125 }))
  })

  test('variables of files come before those of the line, and a name alone takes ours', () => {
    const { put } = scratch()
    const file = put('env', Buffer.from('# not this\n\nA=file\n  B=2\r\nASKED_TEST\n'))
    process.env.ASKED_TEST = 'ours'
    try {
      expect(environment({ envFile: [file], env: ['A=line', 'NOT_THERE_TEST'] })).toEqual([
        'A=file',
        'B=2',
        'ASKED_TEST=ours',
        'A=line',
        'NOT_THERE_TEST',
      ])
    } finally {
      delete process.env.ASKED_TEST
    }
  })
})

test('keys that let go', () => {
  expect([...parseDetachKeys()!]).toEqual([16, 17])
  expect([...parseDetachKeys('ctrl-],x')!]).toEqual([29, 120])
  expect(parseDetachKeys('')).toBe(null)
  expect(() => parseDetachKeys('ctrl-')).toThrow('is no key')
})

describe('filters', () => {
  const one = {
    id: 'abc',
    name: 'web-1',
    image: 'app',
    imageId: 'sha256:0123456789ab',
    state: 'exited',
    exitCode: 3,
    status: 'Exited (3)',
    health: null,
    labels: { a: '1' },
  } as unknown as Container
  test.each<[string[], boolean]>([
    [['name=web'], true],
    [['name=^web-1$'], true],
    [['name=other', 'name=web'], true],
    [['name=web', 'status=running'], false],
    [['status=exited', 'exited=3'], true],
    [['exited=0'], false],
    [['label=a'], true],
    [['label=a=1'], true],
    [['label=a=2'], false],
    [['ancestor=app'], true],
    [['ancestor=app:latest'], true],
    [['ancestor=01234567'], true],
    [['id=ab'], true],
    [['health=none'], true],
    [['name=(a+)+$'], false],
  ])('%j', (texts, holds) => expect(filterOf(texts)(one)).toBe(holds))

  test('an unknown one is refused with 2', () => {
    expect(() => filterOf(['colour=red'])).toThrow(expect.objectContaining({ exitCode: 2 }))
  })
})

describe('a tar from a container', () => {
  const unpack = (bytes: Uint8Array, root: string) =>
    unpackTo(Readable.from([Buffer.from(bytes)]), root, { owners: false, intoFile: false })

  test('becomes what was asked for, under another name', async () => {
    const { path } = scratch()
    await unpack(tar('dir d\nfile d/a 3\nlink d/l -> a\nhard d/h -> d/a'), join(path, 'e'))
    expect(readdirSync(join(path, 'e')).sort()).toEqual(['a', 'h', 'l'])
    expect(lstatSync(join(path, 'e/h')).nlink).toBe(2)
  })

  test.each([
    ['climbs', 'dir d\nfile d/../../out 3'],
    ['writes through a link of its own', 'dir d\nlink d/l -> ..\nfile d/l/out 3'],
    ['links to what lies outside', 'dir d\nhard d/h -> /etc/passwd'],
    ['names what was not asked for', 'dir d\nfile out 3'],
  ])('one that %s is refused, and nothing is written outside', async (_, spec) => {
    const { path } = scratch()
    mkdirSync(join(path, 'in'))
    await expect(unpack(tar(spec), join(path, 'in/e'))).rejects.toThrow()
    expect(readdirSync(path)).toEqual(['in'])
    expect(readdirSync(join(path, 'in')).filter(name => name !== 'e')).toEqual([])
    expect(existsSync(join(path, 'out'))).toBe(false)
  })

  test('a link where a file is to go is replaced, not written through', async () => {
    const { path } = scratch()
    writeFileSync(join(path, 'precious'), 'kept')
    symlinkSync('precious', join(path, 'f'))
    await unpack(tar('file f 3'), join(path, 'f'))
    expect(readFileSync(join(path, 'precious'), 'utf8')).toBe('kept')
    expect(lstatSync(join(path, 'f')).isFile()).toBe(true)
  })
})
