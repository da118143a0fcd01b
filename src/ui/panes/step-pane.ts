/** What there is to say of one step, as lines: its command in full, what it did, what it could cost less. */
import { formatBytes } from '../../base/sizes.ts'
import { safe } from '../../base/text.ts'
import type { Theme } from '../theme.ts'
import { line } from '../widgets/line.ts'
import { wrap } from './wrap.ts'

export interface StepModel {
  /** As it stands in the history, of any length. */
  command: string
  /** Sentences. */
  story: readonly string[]
  advice: readonly { fix: string; bytes: number }[]
  /** What is wrong or odd, sentences. */
  oddities: readonly string[]
  /** When, by whom, with which comment: short facts. */
  facts: readonly string[]
}

/**
 * All that there is, as lines of exactly `columns`; of the command at most `most` of them. The caller shows what
 * fits.
 */
export function stepLines(
  theme: Theme,
  model: StepModel,
  columns: number,
  most: number = Number.POSITIVE_INFINITY,
): string[] {
  const inner = columns - 2
  const lines: string[] = []
  const add = (style: (text: string) => string, texts: readonly string[]) => {
    for (const text of texts) lines.push(line(columns, [' ', [style, text]]))
  }
  const command = commandLines(model.command, inner)
  const cut = command.length > most
  add(theme.strong, cut ? [...command.slice(0, most - 1), `${command[most - 1]!} ${theme.glyph.ellipsis}`] : command)
  for (const oddity of model.oddities) add(theme.warning, wrap(`! ${safe(oddity)}`, inner, '  '))
  for (const sentence of model.story) add(plain, wrap(sentence, inner, '  '))
  for (const { fix, bytes } of model.advice) {
    const saves = bytes > 0 ? `   saves ${formatBytes(bytes)}` : ''
    add(theme.ok, wrap(`${theme.glyph.arrow} ${safe(fix)}${saves}`, inner, '  '))
  }
  for (const fact of model.facts) add(theme.dim, wrap(safe(fact), inner, '  '))
  return lines
}

/** More of a command than this is not wrapped. */
const LONGEST = 20_000

/** A command, broken before each `&&` and `||` and at its own line ends. */
function commandLines(command: string, columns: number): string[] {
  const parts = command
    .slice(0, LONGEST)
    .split(/\r?\n|\s+(?=&&\s|\|\|\s)/)
    .map(part => safe(part.replaceAll('\t', ' ').trim()))
    .filter(part => part !== '')
  return parts.flatMap((part, at) => wrap(at === 0 ? part : `  ${part}`, columns, '    '))
}

function plain(text: string): string {
  return text
}
