/** `strata analyze`: what an image holds, what it wastes, what to do about it, and whether it keeps its rules. */
import type { Advice } from '../advice/advise.ts'
import { formatAge, formatBytes, formatCount, formatPercent } from '../base/sizes.ts'
import { safe } from '../base/text.ts'
import { shortDigest } from '../image/digest.ts'
import { formatPlatform } from '../image/platform.ts'
import { anomaliesOf, settleLayers } from './analysis.ts'
import { analysisJson } from './analysis-json.ts'
import type { Verdict } from './ci-rules.ts'
import { writeObject } from './json.ts'
import type { Io, Output } from './output.ts'
import type { Options } from './program.ts'
import { type Report, reportOn } from './report.ts'
import { type Column, writeLines, writeTable } from './table.ts'
import { withAnalysis } from './target.ts'
import { pathText } from './text.ts'
import { usage } from './usage.ts'
import { wasteColumns } from './waste.ts'

export async function analyze(io: Io, [text]: string[], options: Options): Promise<number> {
  if (options.score !== undefined && options.score !== 'dive') throw usage('--score knows dive only.')
  const rules = options.ci ? await (await import('./ci-file.ts')).readRules(options) : null
  return withAnalysis(io, { text, options }, async (analysis, { step }) => {
    if (options.verify !== false) await settleLayers(analysis, { signal: io.signal })
    const report = reportOn(analysis, step)
    if (options.json) await writeObject(io.out, analysisJson(report))
    else await writeReport(io.out, report, options.score === 'dive')
    if (!rules) return 0
    const { judge } = await import('./ci-rules.ts')
    const verdicts = judge(report, rules)
    await io.out.flush()
    await writeVerdicts(options.json ? io.err : io.out, verdicts, rules.numbers, rules.from)
    return verdicts.every(verdict => verdict.passed) ? 0 : 1
  })
}

/** How many rows of a long list the report shows; the verb that has them all is named. */
const most = 10

async function writeReport(out: Output, report: Report, dive: boolean): Promise<void> {
  const { analysis, layers, waste, advice } = report
  await writeFacts(out, [...facts(out, report), ...(dive ? diveFacts(report) : [])])
  await section(out, 'Layers')
  await writeTable(out, layerColumns, layers)
  if (waste.length > 0) {
    await section(
      out,
      out.terminal && waste.length > most
        ? `Waste: the biggest ${most} of ${formatCount(waste.length)} (strata waste has all)`
        : 'Waste',
    )
    await writeTable(out, wasteColumns(analysis), out.terminal ? waste.slice(0, most) : waste)
  }
  if (advice.length > 0) {
    await section(out, 'Advice')
    if (out.terminal) await writeLines(out, adviceLines(out, advice))
    else await writeTable(out, adviceColumns, advice)
  }
  const anomalies = [...anomaliesOf(analysis)]
  if (anomalies.length > 0) {
    await section(out, 'Odd')
    const columns: Column<(typeof anomalies)[number]>[] = [
      { title: 'LAYER', value: one => one.layer, align: 'right' },
      { title: 'KIND', value: one => safe(one.kind) },
      { title: 'PATH', value: one => (one.path ? pathText(one.path) : null) },
      { title: 'WHAT', value: one => safe(one.text) },
    ]
    await writeTable(out, columns, out.terminal ? anomalies.slice(0, most) : anomalies)
    if (out.terminal && anomalies.length > most) await out.write(`and ${formatCount(anomalies.length - most)} more\n`)
  }
}

const adviceColumns: Column<Advice>[] = [
  { title: 'BYTES', value: one => one.bytes },
  { title: 'RULE', value: one => safe(one.rule) },
  { title: 'TITLE', value: one => safe(one.title) },
  { title: 'FIX', value: one => safe(one.fix) },
]

function* adviceLines(out: Output, advice: Advice[]): Generator<string> {
  const size = (bytes: number) => formatBytes(bytes).padStart(7)
  for (const { bytes, title, fix } of advice) {
    yield `${out.style('bold', size(bytes))}  ${safe(title)}`
    yield* fix.split('\n').map((line, at) => `${' '.repeat(7)}  ${at === 0 ? '→' : ' '} ${safe(line)}`)
  }
}

/** A name, what a person reads, and the exact value for a pipe. */
type Fact = [name: string, shown: string, value?: string | number | null]

function facts(out: Output, { analysis, bytes, efficiency, entries, steps, layers }: Report): Fact[] {
  const { image } = analysis
  const created = image.config.created
  const age = created === null ? '' : `, ${formatAge(Date.now() - Date.parse(created))}`
  return [
    ['image', [image.reference, ...image.names.filter(name => name !== image.reference)].map(safe).join('  ')],
    ['id', out.terminal ? shortDigest(image.id) : image.id, image.id],
    ['digest', image.digest ? safe(image.digest) : '–', image.digest && safe(image.digest)],
    ['source', image.source],
    ['platform', safe(formatPlatform(image.platform))],
    ['created', created === null ? '–' : safe(created) + age, created && safe(created)],
    ['layers', `${layers.length} in ${steps.length} steps`, layers.length],
    ['entries', `${formatCount(entries.stored)} stored, ${formatCount(entries.visible)} visible`, entries.stored],
    ['stored', formatBytes(bytes.stored), bytes.stored],
    ['visible', formatBytes(bytes.visible), bytes.visible],
    ['wasted', formatBytes(bytes.wasted), bytes.wasted],
    ['compressed', bytes.compressed === null ? '–' : formatBytes(bytes.compressed), bytes.compressed],
    ['efficiency', formatPercent(efficiency), efficiency],
  ]
}

function diveFacts({ dive }: Report): Fact[] {
  const user = dive.userWastedPercent
  return [
    ['dive efficiency', formatPercent(dive.efficiency), dive.efficiency],
    ['dive wasted', formatBytes(dive.wastedBytes), dive.wastedBytes],
    ['dive user wasted', user === null ? '–' : formatPercent(user), user],
  ]
}

async function writeFacts(out: Output, rows: Fact[]): Promise<void> {
  const shown = out.terminal ? rows.filter(([, text]) => text !== '–') : rows
  const longest = Math.max(...shown.map(([name]) => name.length))
  for (const [name, text, value] of shown) {
    const exact = value === undefined ? text : (value ?? '')
    await out.write(out.terminal ? `${out.style('dim', name.padEnd(longest))}  ${text}\n` : `${name}\t${exact}\n`)
  }
}

async function section(out: Output, title: string): Promise<void> {
  await out.write(`\n${out.style('bold', title)}\n`)
}

const layerColumns: Column<Report['layers'][number]>[] = [
  { title: 'LAYER', value: layer => layer.index, align: 'right' },
  { title: 'STEP', value: layer => layer.step, align: 'right' },
  { title: 'STORED', value: layer => layer.stored, shown: layer => formatBytes(layer.stored), align: 'right' },
  { title: 'ADDS', value: layer => layer.adds, shown: layer => formatBytes(layer.adds), align: 'right' },
  { title: 'ENTRIES', value: layer => layer.entries, shown: layer => formatCount(layer.entries), align: 'right' },
  { title: 'A', value: layer => layer.added, shown: layer => formatCount(layer.added), align: 'right' },
  { title: 'C', value: layer => layer.changed, shown: layer => formatCount(layer.changed), align: 'right' },
  { title: 'D', value: layer => layer.deleted, shown: layer => formatCount(layer.deleted), align: 'right' },
  { title: 'CREATED BY', value: layer => layer.command, cut: true },
]

async function writeVerdicts(out: Output, verdicts: Verdict[], numbers: string, from: string | null): Promise<void> {
  const source = from === null ? 'the defaults' : safe(from)
  await section(out, `Rules: ${source}${numbers === 'dive' ? ', judged with dive’s numbers' : ''}`)
  const columns: Column<Verdict>[] = [
    { title: 'RESULT', value: one => (one.passed ? 'pass' : 'FAIL'), style: one => (one.passed ? 'green' : 'red') },
    { title: 'RULE', value: one => one.rule },
    { title: 'LIMIT', value: one => one.limit },
    { title: 'FOUND', value: one => one.found },
  ]
  await writeTable(out, columns, verdicts)
  for (const { details } of verdicts) for (const line of details) await out.write(`  ${line}\n`)
  await out.flush()
}
