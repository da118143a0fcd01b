/** The program itself, in a process of its own, on small archives: exact output, exit codes, pipes. */
import { Buffer } from 'node:buffer'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { dockerArchive } from '../../harness/docker-archives.ts'
import { makeImage } from '../../harness/images.ts'
import { workshop } from '../../harness/strata.ts'
import { entry, tar } from '../../harness/tar.ts'

/** Three layers in five steps: a file that is rewritten, one that is deleted, and a link. */
const spec = {
  layers: [
    tar('dir etc', entry({ path: 'etc/motd', body: Buffer.from('hello\n'), mtime: 1000 }), 'file big 1000'),
    tar('dir etc\nfile etc/motd "hello" 0600 5:6 mtime=2000.5\nlink etc/issue -> motd'),
    tar('gone big'),
  ],
  names: ['app:1'],
  history: [
    { created: '2026-01-02T03:04:05Z', created_by: '/bin/sh -c #(nop) ADD file:abc in / ' },
    { created_by: 'ENV A=1', empty_layer: true },
    { created_by: 'COPY motd /etc/ # buildkit', comment: 'buildkit.dockerfile.v0' },
    { created_by: 'RUN /bin/sh -c rm big # buildkit', author: 'me' },
    { created_by: 'CMD ["sh"]', empty_layer: true },
  ],
}
const made = makeImage(spec)

function small() {
  const shop = workshop()
  shop.put('app.tar', dockerArchive(spec, 'docker-1.10'))
  return shop
}

test('analyze prints sections of tab-separated rows into a pipe', async () => {
  const { code, stdout, stderr } = await small().run(['analyze', './app.tar'])
  expect(stdout.replaceAll(made.id, 'ID')).toBe(`image\t./app.tar  app:1
id\tID
digest\t
source\tdocker-archive
platform\tlinux/amd64
created\t2026-01-02T03:04:05Z
layers\t3
entries\t7
stored\t1011
visible\t5
wasted\t1006
compressed\t
efficiency\t${5 / 1011}

Layers
LAYER\tSTEP\tSTORED\tADDS\tENTRIES\tA\tC\tD\tCREATED BY
0\t1\t1006\t1006\t3\t3\t0\t0\tADD file:abc in /
1\t3\t5\t-1\t3\t1\t2\t0\tCOPY motd /etc/
2\t4\t0\t-1000\t1\t0\t0\t1\tRUN rm big

Waste
BYTES\tSTORED IN\tLOST IN\tCAUSE\tPATH
1000\t0\t2\tdeleted\tbig
6\t0\t1\toverwritten\tetc/motd

Advice
BYTES\tRULE\tTITLE\tFIX
1000\tdeleted-later\t1 kB in 1 file of step 1 is deleted by step 4 (RUN rm big) and still ships.\tDo not copy them: the RUN that needs them can read them from the build context with --mount=type=bind; or name them in .dockerignore.
`)
  expect(stderr).toBe('')
  expect(code).toBe(0)
})

test('analyze as of a step knows nothing of later ones', async () => {
  const document = JSON.parse((await small().run(['analyze', './app.tar@3', '--json'])).stdout)
  expect(document.bytes).toEqual({ stored: 1011, visible: 1005, wasted: 6, compressed: null })
  expect([document.steps.length, document.layers.length, document.waste.length]).toEqual([3, 2, 1])
})

test('tree prints the files as of the end, and of any step', async () => {
  const { run } = small()
  expect(
    (await run(['tree', './app.tar'])).stdout,
  ).toBe(`CHANGE\tTYPE\tMODE\tUID\tGID\tSIZE\tMTIME\tLAYER\tPATH\tLINK\tREASON
\tdir\t0755\t0\t0\t0\t0\t1\tetc\t\t
\tsymlink\t0777\t0\t0\t0\t0\t1\tetc/issue\tmotd\t
\tfile\t0600\t5\t6\t5\t2000\t1\tetc/motd\t\t
`)
  expect(
    (await run(['tree', './app.tar@2', '/etc'])).stdout,
  ).toBe(`CHANGE\tTYPE\tMODE\tUID\tGID\tSIZE\tMTIME\tLAYER\tPATH\tLINK\tREASON
\tfile\t0644\t0\t0\t6\t1000\t0\tetc/motd\t\t
`)
})

test('tree --changes prints what the step did, deleted files too', async () => {
  const { run } = small()
  expect((await run(['tree', './app.tar@3', '--changes', '--json'])).stdout).toBe(
    `{"path":"etc","type":"dir","size":0,"mode":"0755","uid":0,"gid":0,"mtime":0,"link":null,"xattrs":null,"layer":1,"change":"C","reason":null}
{"path":"etc/issue","type":"symlink","size":0,"mode":"0777","uid":0,"gid":0,"mtime":0,"link":"motd","xattrs":null,"layer":1,"change":"A","reason":null}
{"path":"etc/motd","type":"file","size":5,"mode":"0600","uid":5,"gid":6,"mtime":2000.5,"link":null,"xattrs":null,"layer":1,"change":"C","reason":"content,mode,owner,time"}
`,
  )
  expect((await run(['tree', './app.tar@4', '--changes', '--json'])).stdout).toBe(
    `{"path":"big","type":"file","size":1000,"mode":"0644","uid":0,"gid":0,"mtime":0,"link":null,"xattrs":null,"layer":0,"change":"D","reason":null}
`,
  )
  expect((await run(['tree', './app.tar@5', '--changes', '--json'])).stdout).toBe('')
})

test('a step is a number, a number from the end, or the start of a diffID', async () => {
  const { run } = small()
  const hex = made.layers[0].diffId.slice(7, 19)
  for (const step of ['1', '-5', '2', '-4', hex]) {
    const { stdout } = await run(['cat', `./app.tar@${step}`, 'etc/motd'])
    expect([step, stdout]).toEqual([step, 'hello\n'])
  }
  expect((await run(['cat', './app.tar', '/etc/issue'])).stdout).toBe('hello')
})

test('history has the steps newest first, with the bytes of each', async () => {
  const { stdout } = await small().run(['history', './app.tar'])
  expect(stdout).toBe(`STEP\tLAYER\tIMAGE\tCREATED\tSIZE\tCREATED BY
5\t\t<missing>\t\t0\tCMD ["sh"]
4\t2\t<missing>\t\t0\tRUN rm big
3\t1\t<missing>\t\t5\tCOPY motd /etc/
2\t\t<missing>\t\t0\tENV A=1
1\t0\t<missing>\t2026-01-02T03:04:05Z\t1006\tADD file:abc in /
`)
})

test('waste and blame', async () => {
  const { run } = small()
  expect((await run(['waste', './app.tar', '--json'])).stdout).toBe(
    '{"path":"big","bytes":1000,"storedIn":0,"lostIn":2,"cause":"deleted"}\n{"path":"etc/motd","bytes":6,"storedIn":0,"lostIn":1,"cause":"overwritten"}\n',
  )
  expect(
    (await run(['blame', './app.tar', 'etc/motd'])).stdout,
  ).toBe(`LAYER\tSTEP\t±\tREASON\tPERMISSIONS\tOWNER\tSIZE\tCREATED BY
1\t3\tC\tcontent,mode,owner,time\t-rw-------\t5:6\t5\tCOPY motd /etc/
0\t1\tA\t\t-rw-r--r--\t0:0\t6\tADD file:abc in /
`)
  expect((await run(['blame', './app.tar', 'big'])).stdout).toMatch(/^.*\n2\t4\tD\t\t\t\t\tRUN rm big\n0\t1\tA\t/)
})

test('inspect is the config as of a step', async () => {
  const { run } = small()
  const whole = JSON.parse((await run(['inspect', './app.tar'])).stdout)
  expect(whole.names).toEqual(['app:1'])
  expect(whole.steps.length).toBe(5)
  const second = JSON.parse((await run(['inspect', './app.tar@1'])).stdout)
  expect([second.step, second.steps.length, second.layers.length]).toEqual([1, 1, 1])
})

test('dockerfile', async () => {
  const { stdout } = await small().run(['dockerfile', './app.tar'])
  expect(stdout).toContain('ENV A=1\n')
  expect(stdout).toContain('RUN rm big\n')
})

test('extract writes files and says how many', async () => {
  const { run, path } = small()
  const out = join(path, 'out')
  expect((await run(['extract', './app.tar@1', '/', out])).stdout).toBe(`2 files, 2 directories, 1.01 kB, in ${out}\n`)
  expect(readFileSync(join(out, 'etc/motd'), 'utf8')).toBe('hello\n')
  const again = await run(['extract', './app.tar', 'etc/motd', join(out, 'etc')])
  expect(again).toEqual({
    code: 1,
    stdout: '',
    stderr: `strata: ${out}/etc/motd is there already.\n--overwrite replaces files that are there.\n`,
  })
  expect((await run(['extract', './app.tar', 'etc/motd', join(out, 'etc'), '--overwrite'])).code).toBe(0)
  expect(readFileSync(join(out, 'etc/motd'), 'utf8')).toBe('hello')
})

test('content goes into a pipe byte by byte', async () => {
  const { put, bytes } = workshop()
  const body = Buffer.from(Array.from({ length: 256 }, (_, at) => at))
  put('b.tar', dockerArchive({ layers: [tar(entry({ path: 'b', body }))] }, 'podman'))
  expect(await bytes(['cat', './b.tar', 'b'])).toEqual(body)
})

test('an archive comes through stdin', async () => {
  const { run } = workshop()
  const { stdout, code } = await run(['cat', '-', 'etc/motd'], { input: dockerArchive(spec, 'docker-25') })
  expect([stdout, code]).toEqual(['hello', 0])
})

test('without a terminal, a reference alone is analyze and nothing is images', async () => {
  const { run } = small()
  expect((await run(['./app.tar'])).stdout).toBe((await run(['analyze', './app.tar'])).stdout)
  const none = await run([])
  expect(none.stdout).toBe('REPOSITORY\tTAG\tENGINE\tIMAGE ID\tCREATED\tSIZE\tUNIQUE\n')
})

test('a file named like a verb is reached by ./', async () => {
  const { run, put } = workshop()
  put('tree', dockerArchive(spec, 'docker-1.10'))
  expect((await run(['history', './tree'])).code).toBe(0)
  expect((await run(['./tree'])).stdout).toContain('efficiency')
})

test.each([
  [['analyze'], 2, 'strata: strata analyze needs REF.\n'],
  [
    ['anlyze', 'x', 'y'],
    2,
    'strata: There is no verb “anlyze”.\nDid you mean analyze? strata --help lists the verbs.\n',
  ],
  [['analyze', 'x', '--jsn'], 2, "strata: Unknown option '--jsn'.\nDid you mean --json?"],
  [['tree', 'x', 'y', 'z'], 2, 'strata: Too many arguments'],
  [['analyze', './app.tar', '--score', 'x'], 2, 'strata: --score knows dive only.\n'],
  [['analyze', './app.tar', '--platform', '!'], 2, 'strata: “!” is no platform.\n'],
  [['tree', './app.tar@9'], 2, 'strata: There is no step 9: the image has 5 steps.\n'],
  [['tree', './app.tar@0'], 2, 'strata: “./app.tar@0”: steps are numbered from 1.\n'],
  [['analyze', './missing.tar'], 1, 'strata: '],
  [['cat', './app.tar', 'nope'], 1, 'strata: There is no nope in the image.\n'],
  [
    ['cat', './app.tar', 'big'],
    1,
    'strata: There is no big in the image: step 4 deletes it.\nThe image as of step 3 still has it',
  ],
  [['cat', './app.tar', 'etc'], 1, 'strata: etc is a directory.\n'],
  [['extract', './app.tar', 'etc', './no/such'], 1, 'strata: '],
])('%j ends with %i and one clean sentence', async (args, code, message) => {
  const result = await small().run(args)
  expect(result.stdout).toBe('')
  expect(result.stderr.slice(0, message.length)).toBe(message)
  expect(result.stderr).not.toMatch(/\n\s+at |Error:/)
  expect(result.code).toBe(code)
})

test('STRATA_DEBUG shows where an error comes from', async () => {
  const { stderr } = await small().run(['cat', './app.tar', 'nope'], { env: { STRATA_DEBUG: '1' } })
  expect(stderr).toMatch(/\n +at /)
})

test('a reader that goes away ends the program quietly', async () => {
  const { put, head } = workshop()
  const files = Array.from({ length: 20_000 }, (_, at) => `file some/longer/path/${at} 1`).join('\n')
  put('many.tar', dockerArchive({ layers: [tar(files)] }, 'docker-1.10'))
  expect(await head(['tree', './many.tar'])).toMatchObject({ code: 0, stderr: '' })
  expect(await head(['tree', './many.tar', '--json'])).toMatchObject({ code: 0, stderr: '' })
})

test('ctrl-c ends with 130', async () => {
  const { interrupt } = workshop()
  const archive = dockerArchive({ layers: [tar(entry({ path: 'a', body: Buffer.alloc(4 << 20, 1) }))] }, 'podman')
  const unfinished = archive.subarray(0, 2 << 20)
  expect(await interrupt(['analyze', '-'], unfinished)).toEqual({
    code: 130,
    stdout: '',
    stderr: 'strata: interrupted\n',
  })
})

test('an image that is broken shows what could be read, says what is broken, and ends with 1', async () => {
  const { put, run } = workshop()
  const whole = tar('file a 1000\nfile b 5000')
  put('cut.tar', dockerArchive({ layers: [tar('file base 10'), whole.subarray(0, 3000)] }, 'docker-1.10'))
  const { code, stdout, stderr } = await run(['tree', './cut.tar', '--json'])
  expect(stdout.split('\n').map(line => line && JSON.parse(line).path)).toContain('base')
  expect(stdout.split('\n').map(line => line && JSON.parse(line).path)).toContain('a')
  expect(stderr).toMatch(/^strata: .*layer 1.*\n(.*\n)?What is shown is what could be read\.\n$/)
  expect(code).toBe(1)
  expect((await run(['analyze', './cut.tar', '--json'])).code).toBe(1)
})

test('rules that fail end with 1 and a table; rules that make no sense with 2', async () => {
  const { run, path } = small()
  const failed = await run(['analyze', './app.tar', '--ci', '--lowest-efficiency', '1%', '--forbid', 'motd'])
  expect(failed.stdout).toContain(`
Rules: the defaults
RESULT\tRULE\tLIMIT\tFOUND
FAIL\tlowest-efficiency\t≥ 1 %\t0.5 %
FAIL\thighest-user-wasted-percent\t≤ 10 %\t20120 %
FAIL\tforbidden-paths\t1 pattern\t1 path
  layer 0: etc/motd
`)
  expect(failed.code).toBe(1)
  writeFileSync(join(path, '.strata-ci.yaml'), 'biggest-layer: 2kB\n')
  const passed = await run(['analyze', './app.tar', '--ci', '--json'])
  expect(passed.code).toBe(0)
  expect(passed.stderr).toContain('pass\tbiggest-layer\t≤ 2 kB\t1.01 kB\n')
  expect(JSON.parse(passed.stdout).schema).toBe('strata.analysis/1')
  writeFileSync(join(path, '.strata-ci.yaml'), 'biggest-layer: 2kB\nbigest: 3\n')
  const nonsense = await run(['analyze', './app.tar', '--ci'])
  expect([nonsense.code, nonsense.stdout, nonsense.stderr.split('\n')[0]]).toEqual([
    2,
    '',
    'strata: .strata-ci.yaml, line 2: bigest: there is no such rule.',
  ])
})

test('names that drive a terminal are harmless in text and without loss in JSON', async () => {
  const { put, run } = workshop()
  const names = ['a%1b]0;x%07', 'b%0ac', 'd%e2%80%aee', 'f%ff', 'g%c2%9b31m', 'h%5cx1b']
  const evil = '\x1b]0;owned\x07\u202e'
  const layers = [tar(names.map(name => `file ${name} 1`).join('\n'))]
  put('evil.tar', dockerArchive({ layers, history: [{ created_by: `RUN ${evil}`, author: evil }] }, 'docker-1.10'))
  const raw = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]|\ufffd/
  for (const args of [
    ['analyze'],
    ['analyze', '--json'],
    ['tree'],
    ['tree', '--json'],
    ['history'],
    ['inspect'],
    ['dockerfile'],
  ]) {
    const { stdout, stderr } = await run([args[0], './evil.tar', ...args.slice(1)])
    expect([args, raw.test(stdout), stderr]).toEqual([args, false, ''])
  }
  const rows = (await run(['tree', './evil.tar', '--json'])).stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  expect(rows.map(row => row.path)).toEqual(['a\x1b]0;x\x07', 'b\nc', 'd\u202ee', 'f\\xff', 'g\u009b31m', 'h\\x1b'])
  expect(rows.map(row => row.pathBase64)).toEqual([undefined, undefined, undefined, 'Zv8=', undefined, undefined])
  const text = (await run(['tree', './evil.tar'])).stdout
  for (const [row, shown] of [
    [0, 'a\\x1b]0;x\\x07'],
    [3, 'f\\xff'],
    [5, 'h\\\\x1b'],
  ] as const) {
    expect(text.split('\n')[row + 1].split('\t')[8]).toBe(shown)
    expect((await run(['cat', './evil.tar', shown])).stdout).toBe('a')
  }
})

test('doctor says what works, and the line that mends the rest', async () => {
  const { run } = workshop()
  const { stdout, code } = await run(['doctor', '--json'], { env: { TERM: 'dumb' } })
  const rows = stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  expect(code).toBe(0)
  for (const row of rows) expect(Object.keys(row)).toEqual(['what', 'state', 'detail', 'mend'])
  const state = Object.fromEntries(rows.map(row => [row.what, row.state]))
  expect(state).toMatchObject({ Node: 'ok', screens: 'warn', 'index cache': 'ok', sample: 'ok' })
  expect(rows.find(row => row.what === 'screens').mend).toContain('terminal')
})

test('an engine that was named and does not answer is a failure', async () => {
  const { run } = workshop()
  const env = { DOCKER_HOST: 'unix:///no/such/docker.sock' }
  for (const args of [['images'], ['analyze', 'alpine']]) {
    const { code, stderr } = await run(args, { env })
    expect([args, code]).toEqual([args, 1])
    expect(stderr).toMatch(/^strata: .*unix:\/\/\/no\/such\/docker\.sock.*\n/)
  }
  expect((await run(['doctor'], { env })).stdout).toMatch(/\nno\tdocker\t.*no such file or directory\.\t\S/)
})

test('help and version need nothing and end with 0', async () => {
  const { run } = workshop()
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
  expect(await run(['--version'])).toEqual({ code: 0, stdout: `strata ${version}\n`, stderr: '' })
  const help = await run(['--help'])
  expect([help.code, help.stderr]).toEqual([0, ''])
  const verbs = 'analyze tree history waste cat extract blame images inspect dockerfile doctor'.split(' ')
  for (const verb of verbs) expect(help.stdout).toContain(`  ${verb} `)
  expect((await run(['tree', '--help'])).stdout).toContain('Usage: strata tree [options] <REF> [PATH]')
})
