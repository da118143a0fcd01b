import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { safe } from '../../../src/base/text.ts'
import { streamed, writeJsonLines, writeObject } from '../../../src/cli/json.ts'
import { ClosedPipe, createOutput, type Output } from '../../../src/cli/output.ts'
import { type Column, writeTable } from '../../../src/cli/table.ts'

/** An output into memory; `terminal` makes it one of so many columns. */
function captured(options: { terminal?: number; env?: NodeJS.ProcessEnv } = {}): {
  out: Output
  text(): Promise<string>
} {
  const chunks: string[] = []
  const stream = new Writable({
    write(chunk, _, done) {
      chunks.push(String(chunk))
      done()
    },
  })
  if (options.terminal) Object.assign(stream, { isTTY: true, columns: options.terminal })
  const out = createOutput(stream, options.env ?? {})
  return {
    out,
    async text() {
      await out.flush()
      return chunks.join('')
    },
  }
}

interface Fruit {
  name: string
  bytes: number
}

const columns: Column<Fruit>[] = [
  { title: 'BYTES', value: row => row.bytes, shown: row => `${row.bytes} B`, align: 'right' },
  { title: 'NAME', value: row => safe(row.name), cut: true, style: () => 'green' },
]
const fruits = [
  { name: '梨', bytes: 5 },
  { name: 'a rather long apple', bytes: 12345 },
]

test('a table in a pipe is tab-separated, with exact values and nothing cut', async () => {
  const { out, text } = captured()
  await writeTable(out, columns, fruits)
  expect(await text()).toBe('BYTES\tNAME\n5\t梨\n12345\ta rather long apple\n')
})

test('a table on a terminal is aligned by columns and cut at its edge', async () => {
  const { out, text } = captured({ terminal: 20, env: { NO_COLOR: '1' } })
  await writeTable(out, columns, fruits)
  expect(await text()).toBe('  BYTES  NAME\n    5 B  梨\n12345 B  a rather l…\n')
})

test('colours only on a terminal that wants them', async () => {
  for (const [env, coloured] of [
    [{}, true],
    [{ NO_COLOR: '1' }, false],
    [{ TERM: 'dumb' }, false],
  ] as const) {
    const { out, text } = captured({ terminal: 80, env })
    await writeTable(out, columns, fruits)
    expect((await text()).includes('\x1b[32m')).toBe(coloured)
  }
  const { out, text } = captured()
  expect(out.style('red', 'x')).toBe('x')
  expect(await text()).toBe('')
})

test('a name that drives the terminal is an escape in every kind of output', async () => {
  const evil = [{ name: 'a\x1b]0;owned\x07\tb\nc\u202e', bytes: 1 }]
  const table = captured()
  await writeTable(table.out, columns, evil)
  expect(await table.text()).toBe('BYTES\tNAME\n1\ta\\x1b]0;owned\\x07\\x09b\\x0ac\\u{202e}\n')
  const json = captured()
  await writeJsonLines(json.out, evil)
  const line = await json.text()
  expect(line).toBe('{"name":"a\\u001b]0;owned\\u0007\\tb\\nc\\u202e","bytes":1}\n')
  expect(JSON.parse(line)).toEqual(evil[0])
})

test('an object is written member by member and its arrays element by element', async () => {
  const { out, text } = captured()
  await writeObject(out, { a: 1, empty: streamed([]), rows: streamed([{ b: null }, 'x']), foreign: { rows: [1] } })
  const document = await text()
  expect(document).toBe(`{
  "a": 1,
  "empty": [],
  "rows": [
    {"b":null},
    "x"
  ],
  "foreign": {"rows":[1]}
}
`)
  expect(JSON.parse(document)).toEqual({ a: 1, empty: [], rows: [{ b: null }, 'x'], foreign: { rows: [1] } })
})

test('a slow reader is waited for, and no more than a buffer is held', async () => {
  let held = 0
  let most = 0
  let written = 0
  const stream = new Writable({
    write(chunk, _, done) {
      written += chunk.length
      held = chunk.length
      setImmediate(done)
    },
  })
  const out = createOutput(stream, {})
  function* rows() {
    for (let i = 0; i < 200_000; i++) {
      most = Math.max(most, held, stream.writableLength)
      yield { name: `file ${i}`, bytes: i }
    }
  }
  await writeTable(out, columns, rows())
  await out.flush()
  expect(written).toBeGreaterThan(2_000_000)
  expect(most).toBeLessThan(100_000)
})

test('a reader that goes away ends the writing', async () => {
  const stream = new Writable({
    write(_chunk, _, done) {
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
    },
  })
  stream.on('error', () => {})
  const out = createOutput(stream, {})
  await out.write('x')
  await expect(out.flush()).rejects.toBeInstanceOf(ClosedPipe)
})

test('a full disk is told as what it is', async () => {
  const full = new Writable({
    write: (_chunk, _encoding, done) => done(Object.assign(new Error('ENOSPC: write'), { code: 'ENOSPC' })),
  })
  full.on('error', () => {})
  const out = createOutput(full)
  void out.write('x')
  await expect(out.flush()).rejects.toThrow('The output can not be written: no space left on the device.')
})
