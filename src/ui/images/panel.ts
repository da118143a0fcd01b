/** The panel beside the list: what one image is made of. */
import type { ImageRow } from '../../actions/image-list.ts'
import { formatAge, formatBytes, formatCount } from '../../base/sizes.ts'
import { cutEnd, cutMiddle, safe } from '../../base/text.ts'
import type { Theme } from '../theme.ts'
import { line, type Part } from '../widgets/line.ts'
import { nameOf } from './rows.ts'
import { bar } from './table.ts'

/** Lines of the panel, each of `columns`. `names` are all names of the image, `trouble` what kept us from looking. */
export function panelLines(
  theme: Theme,
  columns: number,
  row: ImageRow,
  options: { names: readonly string[]; now: number; trouble?: string | undefined },
): string[] {
  const { names, now, trouble } = options
  const room = columns - 2
  const fact = (label: string, parts: readonly Part[]): Part[] => [[theme.dim, label.padEnd(9)], ...parts]
  const { detail } = row
  const others = names.filter(name => name !== nameOf(row))
  const lines: Part[][] = [
    [[theme.strong, row.size === null ? 'size not known' : formatBytes(row.size)], ...made(detail)],
    [],
    fact('id', [cutMiddle(safe(row.id.replace(/^sha256:/, '')), room - 9)]),
    ...(row.created === null ? [] : [fact('created', [formatAge(now - row.created)])]),
    ...(row.unique === null ? [] : [fact('unique', [formatBytes(row.unique), [theme.dim, '  only here']])]),
    ...(detail ? [fact('platform', [safe(detail.platform)])] : []),
    ...(detail?.base
      ? [fact('base', [safe(detail.base.name), [theme.dim, `  ${formatBytes(detail.base.bytes)}`]])]
      : []),
    ...(detail?.sharedWith ? [fact('shared', [`with ${count(detail.sharedWith, 'image')}`])] : []),
    ...(row.containers === null ? [] : [fact('used', [`by ${count(row.containers, 'container')}`])]),
    ...others.slice(0, 4).map((name, at) => fact(at === 0 ? 'also' : '', [safe(name)])),
    ...(others.length > 4 ? [fact('', [[theme.dim, `and ${others.length - 4} more names`]])] : []),
    ...(detail && detail.layers.length > 0 ? [[], ...sizes(theme, detail.layers, room)] : []),
    ...(trouble ? [[], [[theme.warning, cutEnd(trouble, room)] as Part]] : []),
  ]
  return lines.map(parts => line(columns, [' ', ...parts]))
}

function made(detail: ImageRow['detail']): Part[] {
  return detail ? [` in ${count(detail.layers.length, 'layer')}, ${count(detail.steps, 'step')}`] : []
}

/** The newest layers that fit, as bars. */
function sizes(theme: Theme, layers: readonly number[], room: number): Part[][] {
  const shown = layers.slice(-room)
  const largest = Math.max(1, ...shown)
  const bars = shown.map(bytes => bar(theme, bytes / largest)).join('')
  return [[[theme.accent, bars]], [[theme.dim, 'sizes by layer']]]
}

function count(number: number, noun: string): string {
  return `${formatCount(number)} ${noun}${number === 1 ? '' : 's'}`
}
