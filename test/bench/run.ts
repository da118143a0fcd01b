/**
 * `npm run bench`: the program next to its physical limits (`cat`, `tar -tf`, `bsdtar -tf`, `igzip -dc`, `zstd -dc`,
 * `docker save`, `podman save`) and next to `dive` where it is on the PATH, interleaved, on images made on the spot.
 * Medians; a row whose target is missed is marked, and makes the exit code 1.
 *
 * --only A,B   cases, of cases.ts
 * --quick      a tenth of the size, few rounds: to see that it runs, not for figures
 * --minutes N how long the case `soak` takes (default 60; it runs only when it is asked for by name)
 * --rounds N   how often each is run (default 5)
 * --keep DIR   make the inputs there, or use the ones that are there, and keep them
 * --json FILE  the rows as JSON as well, with date and machine; no limit to a target is null there
 * --program P  another build than dist/strata
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openMeter } from '../harness/measured.ts'
import type { Row } from './bench.ts'
import { cases } from './cases.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean' },
    rounds: { type: 'string' },
    minutes: { type: 'string' },
    keep: { type: 'string' },
    json: { type: 'string' },
    program: { type: 'string' },
  },
})

const wanted = values.only?.split(',') ?? Object.keys(cases).filter(name => name !== 'soak')
const unknown = wanted.filter(name => !(name in cases))
if (unknown.length > 0) {
  console.error(`no such case: ${unknown.join(', ')}; there are ${Object.keys(cases).join(' ')}`)
  process.exit(2)
}
const program = values.program ?? fileURLToPath(new URL('../../dist/strata', import.meta.url))
if (!existsSync(program)) {
  console.error('dist/strata is not there: npm run build makes it')
  process.exit(2)
}

const folder = values.keep ? resolve(values.keep) : mkdtempSync(join(tmpdir(), 'strata-bench-'))
mkdirSync(folder, { recursive: true })
const meter = openMeter()
const rows: Row[] = []
const leftOut: { case: string; why: string }[] = []
const minutes = Number(values.minutes ?? 60)
const rounds = Number(values.rounds ?? (values.quick ? 2 : 5))
try {
  console.log(
    `${cpus().length} x ${cpus()[0]?.model}, medians of ${rounds} rounds${values.quick ? ', a tenth of the size' : ''}\n`,
  )
  for (const name of wanted) {
    const found = await cases[name]({ meter, folder, program, rounds, scale: values.quick ? 0.1 : 1, minutes })
    if (typeof found === 'string') {
      leftOut.push({ case: name, why: found })
      console.log(`${name}\n  left out: ${found}\n`)
      continue
    }
    rows.push(...found)
    console.log(table(found))
  }
} finally {
  meter.close()
  if (!values.keep) rmSync(folder, { recursive: true, force: true })
}
if (values.json) {
  const machine = { processors: cpus().length, model: cpus()[0]?.model ?? null }
  const all = { date: new Date().toISOString(), machine, rounds, quick: values.quick === true, rows, leftOut }
  writeFileSync(values.json, `${JSON.stringify(all, null, 1)}\n`)
}
const missed = rows.filter(row => row.ours > row.target)
console.log(`${rows.length - missed.length} of ${rows.length} within their targets`)
process.exitCode = missed.length > 0 ? 1 : 0

function table(found: readonly Row[]): string {
  const lines = found.map(row => {
    const ours = `${figure(row.ours)} ${row.unit}`.padStart(14)
    const limit = row.limit ? `${figure(row.limit.value)} ${row.unit}`.padStart(12) : ''.padStart(12)
    const ratio = row.limit ? `x ${(row.ours / row.limit.value).toFixed(2)} of ${row.limit.name}` : ''
    const target = Number.isFinite(row.target) ? `at most ${figure(row.target)}` : ''
    const mark = row.ours > row.target ? '  MISSED' : ''
    return `  ${row.figure.padEnd(34)}${ours}${limit}  ${ratio.padEnd(26)}${target}${mark}`
  })
  return `${found[0]?.case}\n${lines.join('\n')}\n`
}

function figure(number: number): string {
  return number >= 100 ? number.toFixed(0) : number.toPrecision(3)
}
