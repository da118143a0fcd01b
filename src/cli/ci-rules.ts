/**
 * The rules of `analyze --ci`. The first three are about Strata's own numbers, or about dive's where the rules came in
 * dive's format: a file that was written for dive judges an image as dive does.
 */
import { Buffer } from 'node:buffer'
import { formatBytes, formatPercent } from '../base/sizes.ts'
import { safeBytes } from '../base/text.ts'
import { Kind } from '../layer/entry.ts'
import { pathOf } from '../layer/path-tree.ts'
import { globSource } from '../ui/explorer/glob.ts'
import type { Report } from './report.ts'

export interface Rules {
  /** Where they were read, for the person; null: nowhere. */
  from: string | null
  /** Whose numbers are judged. */
  numbers: 'strata' | 'dive'
  /** null: not checked. Shares are 0..1, sizes bytes. */
  lowestEfficiency: number | null
  highestWastedBytes: number | null
  highestUserWastedPercent: number | null
  biggestLayer: number | null
  forbiddenPaths: string[]
}

export interface Verdict {
  rule: string
  limit: string
  found: string
  passed: boolean
  /** What broke the rule, where that is a list. */
  details: string[]
}

/** dive's defaults, which are checked where nobody wrote a rule. */
export const defaultRules: Rules = {
  from: null,
  numbers: 'strata',
  lowestEfficiency: 0.9,
  highestWastedBytes: null,
  highestUserWastedPercent: 0.1,
  biggestLayer: null,
  forbiddenPaths: [],
}

/** Checks what is to be checked, in a fixed order. A value that equals its limit passes, as in dive. */
export function judge(report: Report, rules: Rules): Verdict[] {
  const { efficiency, wasted, userWasted } = rules.numbers === 'dive' ? diveNumbers(report) : ownNumbers(report)
  const verdicts: Verdict[] = []
  const check = (
    rule: string,
    limit: number | null,
    value: number,
    lowest: boolean,
    text: (value: number) => string,
  ) => {
    if (limit === null) return
    const passed = lowest ? value >= limit : value <= limit
    verdicts.push({ rule, limit: `${lowest ? '≥' : '≤'} ${text(limit)}`, found: text(value), passed, details: [] })
  }
  check('lowest-efficiency', rules.lowestEfficiency, efficiency, true, shareText)
  check('highest-wasted-bytes', rules.highestWastedBytes, wasted, false, formatBytes)
  check('highest-user-wasted-percent', rules.highestUserWastedPercent, userWasted, false, shareText)
  if (rules.biggestLayer !== null) verdicts.push(judgeLayers(report, rules.biggestLayer))
  if (rules.forbiddenPaths.length > 0) verdicts.push(judgePaths(report, rules.forbiddenPaths))
  return verdicts
}

function ownNumbers({ bytes, efficiency, layers }: Report) {
  const user = layers.slice(1).reduce((sum, layer) => sum + layer.stored, 0)
  return { efficiency, wasted: bytes.wasted, userWasted: share(bytes.wasted, user) }
}

/** dive divides by zero where there is nothing above the first layer: nothing wasted passes, anything else fails. */
function diveNumbers({ dive }: Report) {
  const userWasted = dive.userWastedPercent ?? share(dive.wastedBytes, 0)
  return { efficiency: dive.efficiency, wasted: dive.wastedBytes, userWasted }
}

function share(part: number, whole: number): number {
  return part === 0 ? 0 : part / whole
}

function judgeLayers({ layers }: Report, limit: number): Verdict {
  const biggest = layers.reduce((most, layer) => Math.max(most, layer.stored), 0)
  const details = layers
    .filter(layer => layer.stored > limit)
    .map(layer => `layer ${layer.index} (step ${layer.step}): ${formatBytes(layer.stored)}`)
  return {
    rule: 'biggest-layer',
    limit: `≤ ${formatBytes(limit)}`,
    found: formatBytes(biggest),
    passed: details.length === 0,
    details,
  }
}

/** A path is forbidden in every layer: what a later layer deletes is shipped all the same. */
function judgePaths({ analysis }: Report, patterns: string[]): Verdict {
  const tests = patterns.map(compileGlob)
  const found = new Map<string, number>()
  for (const [layer, index] of analysis.stack.layers.entries()) {
    for (let entry = 0; entry < index.entries; entry++) {
      if (index.kind[entry] >= Kind.whiteout) continue
      const path = pathOf(index, index.node[entry])
      const text = Buffer.from(path.buffer, path.byteOffset, path.length).toString('latin1')
      if (!tests.some(test => test.test(text))) continue
      const shown = safeBytes(path)
      if (!found.has(shown)) found.set(shown, layer)
    }
  }
  const details = [...found].slice(0, 20).map(([path, layer]) => `layer ${layer}: ${path}`)
  if (found.size > 20) details.push(`and ${found.size - 20} more`)
  return {
    rule: 'forbidden-paths',
    limit: patterns.length === 1 ? '1 pattern' : `${patterns.length} patterns`,
    found: found.size === 1 ? '1 path' : `${found.size} paths`,
    passed: found.size === 0,
    details,
  }
}

/**
 * A pattern with a slash is compared with the whole path, one without with the name at any depth. Bytes are characters
 * U+0000..U+00FF.
 */
function compileGlob(pattern: string): RegExp {
  const trimmed = pattern.replace(/^(?:\.?\/)+|\/+$/g, '')
  const anchored = /^\.?\//.test(pattern) || trimmed.includes('/')
  return new RegExp(`^${anchored ? '' : '(?:.*/)?'}${globSource(trimmed)}$`, 's')
}

function shareText(value: number): string {
  return Number.isFinite(value) ? formatPercent(value) : 'all'
}
