/** The log of a container: docker's json-file, rotated, and never in the container's way. */
import { execFileSync } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { containersOf, readLog } from './containers.ts'
import { asEverybody } from './suite.ts'

asEverybody('log', room => {
  test('one line of the file for each line that was said, with its stream and the time', async () => {
    const c = containersOf(room())
    const before = Date.now()
    const id = await c.run({ args: ['sh', '-c', 'echo one; echo "t\twö \\"quoted\\"" >&2; printf last'] })
    await c.ended(id)
    const lines = c.log(id)
    expect(lines.map(({ log, stream }) => `${stream} ${log}`).sort()).toEqual(
      ['stdout one\n', 'stderr t\twö "quoted"\n', 'stdout last'].sort(),
    )
    for (const { time } of lines) {
      expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/)
      expect(Math.abs(Date.parse(time) - before)).toBeLessThan(60_000)
    }
  })

  test('a line that comes in pieces is one line', async () => {
    const c = containersOf(room())
    const id = await c.run({ args: ['sh', '-c', 'for i in 1 2 3; do printf "part $i "; sleep 0.02; done; echo end'] })
    await c.ended(id)
    expect(c.log(id).map(({ log }) => log)).toEqual(['part 1 part 2 part 3 end\n'])
  })

  test('a long line comes in pieces of 16 KiB, cut between characters; only the last has the line end', async () => {
    const c = containersOf(room())
    const folder = room().bundle({ args: ['cat'] })
    const text = `${'ä'.repeat(30_000)}\nshort\n`
    const result = await c.feed(text, 'run', ...c.options(folder), 'long')
    expect(result.code).toBe(0)
    const pieces = readLog(join(folder, 'log')).map(({ log }) => log)
    expect(pieces.join('')).toBe(text)
    expect(pieces.map(piece => Buffer.byteLength(piece))).toEqual([16384, 16384, 16384, 60001 - 3 * 16384, 6])
    const odd = room().bundle({ args: ['cat'] })
    await c.feed(`x${'ä'.repeat(30_000)}\n`, 'run', ...c.options(odd), 'odd')
    expect(readLog(join(odd, 'log'))[0].log).toBe(`x${'ä'.repeat(8191)}`)
  })

  test('bytes that are no text are replaced, and never break a line of the log', async () => {
    const c = containersOf(room())
    const folder = room().bundle({ args: ['cat'] })
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
    await c.feed(bytes, 'run', ...c.options(folder), 'binary')
    const lines = readLog(join(folder, 'log'))
    expect(lines.map(({ log }) => log).join('')).toBe(bytes.toString('utf8'))
  })

  test('rotation by size keeps so many files, each whole lines, none missing between them', async () => {
    const c = containersOf(room())
    const script = 'i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done'
    const options = ['--log-max-size', '20000', '--log-max-files', '3']
    const id = await c.run({ args: ['sh', '-c', script] }, ...options)
    await c.ended(id)
    const { log } = (await c.state(id)).strata
    const files = readdirSync(join(log!, '..')).filter(name => name.startsWith(basename(log!)))
    expect(files.sort()).toEqual(['log', 'log.1', 'log.2'])
    const all = ['log.2', 'log.1', 'log'].flatMap(name => readLog(join(log!, '..', name)))
    const numbers = all.map(line => Number(line.log.split(' ')[1]))
    expect(numbers).toEqual(numbers.map((_, i) => 3000 - numbers.length + i))
    for (const name of files) expect(readFileSync(join(log!, '..', name)).length).toBeLessThan(20_000 + 65_536 * 3)
  })

  test('one file that is kept begins anew', async () => {
    const c = containersOf(room())
    const script = 'i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done'
    const id = await c.run({ args: ['sh', '-c', script] }, '--log-max-size', '10000')
    await c.ended(id)
    expect(c.log(id).at(-1)!.log).toBe('line 1999\n')
    expect(existsSync(`${(await c.state(id)).strata.log}.1`)).toBe(false)
  })

  test('a log that is there already is gone on with', async () => {
    const c = containersOf(room())
    const folder = room().bundle({ args: ['echo', 'again'] })
    for (let i = 0; i < 2; i++) await c.verb('run', ...c.options(folder), 'again')
    expect(readLog(join(folder, 'log')).length).toBe(2)
  })

  test('/dev/null is a log that nobody reads: attach works, nothing is renamed', async () => {
    const c = containersOf(room())
    const id = c.newId()
    const options = ['--log', '/dev/null', '--log-max-size', '10']
    const bundle = room().bundle({ args: ['sh', '-c', 'read x; yes | head -n 10000; echo $x'] })
    await c.say('create', '--bundle', bundle, ...options, id)
    const client = await c.connect(id)
    client.send('s')
    client.send('i', Buffer.from('end\n'))
    await client.closed
    expect(client.text('o').length).toBe(20_004)
  })

  test('a full disk loses lines and nothing else; the next ones are whole again', async () => {
    const c = containersOf(room())
    const disk = join(room().path, `disk-${room().who.kind.replace(' ', '-')}`)
    mkdirSync(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=64k,uid=${room().who.uid},mode=0755`, 'tmpfs', disk])
    onTestFinished(() => {
      execFileSync('umount', [disk])
      rmdirSync(disk)
    })
    const script = 'echo first; yes full | head -n 100000; read x; echo last; exit 7'
    const id = c.newId()
    const bundle = room().bundle({ args: ['sh', '-c', script] })
    await c.say('create', '--bundle', bundle, '--log', join(disk, 'log'), id)
    const client = await c.connect(id)
    client.send('s')
    await client.until(() => client.text('o').length === 6 + 500_000)
    // Room again, as by a person who removes something.
    execFileSync('mount', ['-o', 'remount,size=128k', disk])
    client.send('i', Buffer.from('\n'))
    await client.closed
    expect((await c.ended(id)).strata.exitCode).toBe(7)
    const lines = readLog(join(disk, 'log'))
    expect([lines[0].log, lines.at(-1)!.log]).toEqual(['first\n', 'last\n'])
    expect(lines.length).toBeLessThan(100_000)
  })

  test('a log in a place that is none is refused, and the container with it', async () => {
    const c = containersOf(room())
    for (const path of ['/no/such/folder/log', `${room().path}/`]) {
      const result = await c.verb('create', '--bundle', room().bundle({ args: ['true'] }), '--log', path, 'x')
      expect(result.code).toBe(125)
      expect(existsSync(join(c.root, 'x'))).toBe(false)
    }
    const link = join(room().path, `link-${Date.now()}`)
    execFileSync('ln', ['-s', '/etc/passwd', link])
    expect((await c.verb('create', '--bundle', room().bundle({ args: ['true'] }), '--log', link, 'x')).code).toBe(125)
    writeFileSync(join(room().path, 'unused'), '')
    chownSync(join(room().path, 'unused'), room().who.uid, room().who.gid)
  })
})
