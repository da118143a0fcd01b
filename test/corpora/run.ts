/**
 * `npm run test:corpora -- DIR`: cases that nobody on this project wrote, with results that independent programs agree
 * on. DIR holds folders of cases and `expected/<folder>.json`; what is expected is in its README. The last line is
 * `corpora: N passed, N failed`, and a failure makes the exit code 1.
 *
 * --only WORD keeps the corpora whose name contains WORD. --program PATH runs another build than dist/strata.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { checkHostile } from './hostile.ts'
import { checkImages } from './images.ts'
import { checkOverlayBase } from './overlay.ts'
import { createReport } from './report.ts'
import { checkSpec } from './spec.ts'
import { checkTars } from './tars.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string' }, program: { type: 'string' } },
})
const root = positionals[0] && resolve(positionals[0])
if (!root || !existsSync(join(root, 'expected'))) {
  console.error('usage: npm run test:corpora -- DIR [-- --only WORD]   (DIR holds expected/*.json)')
  process.exit(2)
}

const program = values.program ?? fileURLToPath(new URL('../../dist/strata', import.meta.url))
const report = createReport(line => console.log(line))
const wanted = (name: string) => !values.only || name.includes(values.only)

for (const file of readdirSync(join(root, 'expected')).sort()) {
  const name = file.replace(/\.json$/, '')
  if (!file.endsWith('.json') || !wanted(name)) continue
  const expected = JSON.parse(readFileSync(join(root, 'expected', file), 'utf8'))
  if (name.startsWith('tar-')) await checkTars(join(root, name), expected, report, name)
  if (name.startsWith('img-')) await checkImages(join(root, name), expected, report, name)
  if (name === 'hostile') await checkHostile(join(root, name), expected, program, report)
  if (name === 'overlay-diff') await checkOverlayBase(root, expected, report)
}
if (existsSync(join(root, 'spec-image')) && wanted('spec-image')) await checkSpec(join(root, 'spec-image'), report)

console.log(`corpora: ${report.passed} passed, ${report.failed} failed`)
process.exitCode = report.failed > 0 ? 1 : 0
