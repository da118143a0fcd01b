/** Volumes of native containers, as everybody; what fills them, and where they are mounted, is judged by Docker. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startDocker } from '../harness/engines.ts'
import { missingForEngines } from '../harness/needs.ts'
import { appArchive, type Place, placeIn } from './place.ts'
import type { Room } from './room.ts'
import { asEverybody } from './suite.ts'

const config = { Cmd: ['true'], Volumes: { '/declared': {} } }
const tree = `dir data 0750 12:34 mtime=1500000000
file data/a 3 0640 12:34 mtime=1400000000
hard data/b -> data/a 0640 12:34 mtime=1400000000
link data/l -> a
link data/out -> /etc/motd
fifo data/pipe 0600
dir data/sub 01777 0:0 mtime=1300000000
file data/sub/setuid 9 04755
dir declared 0711 5:6
file declared/in 4
dir closed 0700 12:34
file closed/secret 6 0600 12:34
dir empty 0770 7:8
link to-data -> /data
link to-etc -> ../../../../../../etc
link to-nowhere -> /not/in/the/image
dir both/in
file both/in/x 1`

const archive = () => appArchive(config, tree)
const none = ['--network', 'none']

/** Everything of directories that a volume keeps: names, kinds, modes, owners, sizes, links, times. Docker sets a directory's time anew. */
const list = `for d in "$0" "$@"; do echo "in $d"; cd $d && find . | sort | while read f; do
  if [ -d "$f" -a ! -L "$f" ]; then stat -c '%n %F %a %u:%g' "$f"; else stat -c '%N %F %a %u:%g %s %Y %h' "$f"; fi
done; done`

asEverybody('volumes', (room, kind) => {
  const place = () => placeIn(room() as Room, 'volumes', archive)
  const listing = async ({ say }: Place, paths: string[], ...options: string[]) =>
    say('run', '--rm', ...none, ...options, 'app:1', 'sh', '-c', list, ...paths)
  const some = kind === 'single id' ? test.skip : test

  test('an empty volume gets what the image has there', async () => {
    const p = await place()
    const paths = ['/data', '/closed', '/empty', '/both']
    const volumes = paths.flatMap(path => ['-v', `of-${path.slice(1)}:${path}`])
    const expected = await listing(p, paths)
    expect(await listing(p, paths, ...volumes)).toBe(expected)
    const [, data] = /^in \/data(.*)\nin \/closed/s.exec(expected)!
    expect(await listing(p, ['/other'], '-v', 'of-data:/other')).toBe(`in /other${data}`)
    if (kind === 'root') expect(data).toContain('. directory 750 12:34\n')
    const declared = await p.say(
      'run',
      '--rm',
      ...none,
      'app:1',
      'sh',
      '-c',
      'grep /declared /proc/mounts; ls /declared',
    )
    expect(declared).toMatch(/ \/declared .*\nin$/)
  })

  some('one that holds something keeps that, and with nocopy nothing is copied', async () => {
    const { say } = await place()
    await say('run', '--rm', ...none, '-v', 'kept:/x', 'app:1', 'sh', '-c', 'echo mine > /x/only')
    expect(await say('run', '--rm', ...none, '-v', 'kept:/data', 'app:1', 'ls', '/data')).toBe('only')
    expect(await say('run', '--rm', ...none, '-v', 'bare:/data:nocopy', 'app:1', 'ls', '/data')).toBe('')
    const mount = 'source=bare2,target=/data,volume-nocopy'
    expect(await say('run', '--rm', ...none, '--mount', mount, 'app:1', 'ls', '/data')).toBe('')
    expect(
      await say('run', '--rm', ...none, '-v', 'kept:/k:ro', 'app:1', 'sh', '-c', 'touch /k/x || cat /k/only'),
    ).toBe('mine')
  })

  test('a link of the image leads to what the image has there, and never out of it', async () => {
    const p = await place()
    expect(await listing(p, ['/seen', '/data'], '-v', 'linked:/to-data', '-v', 'linked:/seen')).toMatch(
      /^in \/seen(.*)\nin \/data\1$/s,
    )
    const { say } = p
    const names = (volume: string, at: string) =>
      say('run', '--rm', ...none, '-v', `${volume}:${at}`, '-v', `${volume}:/seen`, 'app:1', 'ls', '/seen')
    // The places of the three files that every container has in /etc are made in what is mounted there.
    expect(await names('etc', '/to-etc')).toBe('hostname\nhosts\nmotd\nresolv.conf')
    expect(await names('nowhere', '/to-nowhere')).toBe('')
  })

  some('what somebody who was killed began to fill is filled anew', async () => {
    const p = await place()
    await p.say('volume', 'create', 'half')
    const folder = join(p.root, 'store/volumes/half')
    const { uid, gid } = (room() as Room).who
    for (const [path, text] of [
      ['filling', ''],
      ['_data/a', 'only the beginn'],
    ]) {
      writeFileSync(join(folder, path), text)
      execFileSync('chown', [`${uid}:${gid}`, join(folder, path)])
    }
    expect(
      await p.say('run', '--rm', ...none, '-v', 'half:/data', 'app:1', 'sh', '-c', 'ls /data; cat /data/a'),
    ).toMatch(/^a\nb\nl\nout\npipe\nsub\n...$/)
    expect(existsSync(join(folder, 'filling'))).toBe(false)
  })

  some('a nameless volume goes with --rm and with rm -v, and stays while another container has it', async () => {
    const { say, strata, volumes, inspect, left } = await place()
    await say('volume', 'prune', '--force')
    await say('run', '--rm', ...none, '-v', '/mine', 'app:1', 'true')
    expect(volumes()).toEqual([])
    await say('create', ...none, '--name', 'one', '-v', '/mine', '-v', 'named:/named', 'app:1')
    const [nameless] = (await inspect('one')).mounts.filter(one => one.destination === '/mine')
    expect(nameless).toMatchObject({ kind: 'volume', name: expect.stringMatching(/^[0-9a-f]{64}$/) })
    await say('create', ...none, '--name', 'two', '--volumes-from', 'one:ro', 'app:1')
    expect(await strata('volume', 'rm', 'named')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/The volume named is in use by (one, two|two, one)\./),
    })
    await say('rm', '-v', 'one')
    expect(volumes()).toContain(nameless.name)
    await say('rm', '-v', 'two')
    expect(volumes()).toEqual(['named'])
    await say('run', '-d', '--rm', ...none, '--name', 'three', '-v', '/mine', '-v', 'named:/n', 'app:1', 'sleep', '60')
    expect(volumes()).toHaveLength(3)
    await say('stop', '-t', '0', 'three')
    expect([volumes(), left()]).toEqual([['named'], []])
    expect(await say('volume', 'rm', 'named')).toBe('named')
  })

  some('create, ls, inspect, prune; names that are none', async () => {
    const { say, strata, volumes } = await place()
    await say('volume', 'prune', '--force')
    expect(await say('volume', 'create', '--label', 'a=b', 'labelled')).toBe('labelled')
    const nameless = await say('volume', 'create')
    expect(nameless).toMatch(/^[0-9a-f]{64}$/)
    await say('create', ...none, '--name', 'user', '-v', 'held:/h', '--mount', 'type=tmpfs,target=/declared', 'app:1')
    expect(await say('volume', 'ls', '-q', '-f', 'dangling=true', '-f', 'label=a')).toBe('labelled')
    expect(await say('volume', 'ls', '-q', '-f', 'dangling=false')).toBe('held')
    expect(JSON.parse(await say('volume', 'inspect', 'held'))).toMatchObject({ driver: 'local', users: ['user'] })
    expect((await strata('volume', 'create', '../up')).err).toContain('includes invalid characters')
    expect((await strata('volume', 'inspect', 'nope')).err).toContain('no such volume')
    expect(await say('volume', 'prune', '--force')).toContain('Deleted volume: labelled')
    expect(volumes()).toEqual(['held'])
    await say('rm', 'user')
  })

  test('a source that is missing is made for -v, and is an error for --mount', async () => {
    const { say, strata, root } = await place()
    const missing = join(root, '..', 'made/by/v')
    const mount = `type=bind,source=${missing},target=/m`
    expect(await strata('run', '--rm', ...none, '--mount', mount, 'app:1')).toMatchObject({
      code: 125,
      err: expect.stringContaining(`bind source path does not exist: ${missing}`),
    })
    expect(existsSync(missing)).toBe(false)
    await say('run', '--rm', ...none, '-v', `${missing}:/m`, 'app:1', 'touch', '/m/x')
    expect(readdirSync(missing)).toEqual(['x'])
    const tmpfs = 'type=tmpfs,target=/m,tmpfs-size=64k,tmpfs-mode=1750'
    const script = "stat -c %a /m; dd if=/dev/zero of=/m/x bs=1000 count=100 2>&1 | grep -c 'No space'"
    expect(await say('run', '--rm', ...none, '--mount', tmpfs, 'app:1', 'sh', '-c', script)).toBe('1750\n1')
  })

  test.runIf(kind === 'root')('read-only goes all the way down', async () => {
    const { say, root } = await place()
    const top = join(root, '..', 'top')
    mkdirSync(join(top, 'below'), { recursive: true })
    execFileSync('mount', ['-t', 'tmpfs', 'x', join(top, 'below')])
    try {
      const script = 'for d in /m /m/below; do touch $d/x && echo $d can be written; done; true'
      const run = (...how: string[]) => say('run', '--rm', ...none, ...how, 'app:1', 'sh', '-c', script)
      expect(await run('-v', `${top}:/m:ro`)).toBe('')
      expect(await run('--mount', `type=bind,source=${top},target=/m,readonly`)).toBe('')
      expect(await run('-v', `${top}:/m`)).toBe('/m can be written\n/m/below can be written')
    } finally {
      execFileSync('umount', [join(top, 'below')])
    }
  })

  describe.skipIf(kind !== 'root' || missingForEngines() !== null)('as Docker', () => {
    test('fills volumes, and shows their places in diff', async () => {
      const p = await place()
      const docker = await startDocker()
      try {
        writeFileSync(join(docker.scratch.path, 'app.tar'), archive())
        await docker.cli('load', '-i', join(docker.scratch.path, 'app.tar'))
        const paths = ['/data', '/closed', '/empty', '/both', '/declared']
        const volumes = paths.flatMap(path => ['-v', `${path.slice(1)}-judged:${path}`])
        const theirs = await docker.cli(
          'run',
          '--rm',
          '--network=none',
          ...volumes,
          'app:1',
          'sh',
          '-c',
          list,
          ...paths,
        )
        // Docker gives a pipe the time of the copy.
        const same = (text: string) => text.trim().replaceAll(/(fifo .*) \d+ 1$/gm, '$1')
        expect(same(await listing(p, paths, ...volumes))).toBe(same(theirs))
        const mounts = [
          '-v',
          'vv:/new/deep',
          '-v',
          `${p.root}:/bind`,
          '--tmpfs',
          '/memory',
          '-v',
          '/nameless',
          '-v',
          'v2:/data',
        ]
        const args = ['--network', 'none', '--name', 'places', ...mounts, 'app:1']
        await docker.cli('run', ...args)
        await p.say('run', ...args)
        const sorted = (text: string) => text.trim().split('\n').sort()
        expect(sorted(await p.say('diff', 'places'))).toEqual(sorted(await docker.cli('diff', 'places')))
        await p.say('rm', '-v', 'places')
      } finally {
        await docker.stop()
      }
    })
  })
})
