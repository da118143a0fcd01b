/** The panel beside the list: what the container under the cursor is, and the last of what it said. */
import { formatBytes, formatCount } from '../../base/sizes.ts'
import { cutMiddle, safe } from '../../base/text.ts'
import type { Theme } from '../theme.ts'
import { line, type Part } from '../widgets/line.ts'
import { prettyJson } from './log-json.ts'
import { lookParts } from './looks.ts'
import type { ContainerRow } from './rows.ts'
import type { Known } from './table.ts'
import type { Tail } from './tail.ts'
import { portWords, sinceWords, stateStyle, stateWords } from './words.ts'

/** Lines of facts, each of `columns`. */
export function factLines(theme: Theme, columns: number, row: ContainerRow, known: Known): string[] {
  const { container, engineId, stale } = row
  const facts = known.facts(row)
  const usage = known.usage(row)?.last
  const room = columns - 2 - LABEL
  const fact = (label: string, text: string, note = ''): Part[] => [
    [theme.dim, label.padEnd(LABEL)],
    cutMiddle(text, room),
    [theme.dim, note],
  ]
  const state = stateStyle(container, facts)
  const since = sinceWords(container, facts, known.now)
  const ports = portWords(container.ports, theme.glyph.arrow)
  const mounts = container.mounts.map(
    mount => `${safe(mount.name?.slice(0, 24) ?? mount.source)}:${safe(mount.destination)}`,
  )
  const lines: Part[][] = [
    [
      [stale ? theme.dim : state ? theme[state] : theme.strong, stateWords(container, facts)],
      since === '' ? '' : `  ${since}`,
      [
        theme.dim,
        facts && facts.restarts > 0 ? `  ${formatCount(facts.restarts)} restart${facts.restarts === 1 ? '' : 's'}` : '',
      ],
    ],
    ...(facts?.error ? [[[theme.danger, safe(facts.error)] as Part]] : []),
    fact('image', safe(container.image)),
    fact('command', safe(container.command)),
    fact('id', container.id.slice(0, 12), `  ${safe(engineId)}`),
    ...(ports === '' ? [] : [fact('ports', ports)]),
    ...(facts?.restartPolicy && facts.restartPolicy !== 'no' ? [fact('restart', safe(facts.restartPolicy))] : []),
    ...mounts.slice(0, 3).map((mount, at) => fact(at === 0 ? 'mounts' : '', mount)),
    ...(mounts.length > 3 ? [fact('', '', `and ${mounts.length - 3} more`)] : []),
    ...(facts?.upperBytes == null ? [] : [fact('live', formatBytes(facts.upperBytes), '  in its own layer')]),
    ...(usage
      ? [
          fact('cpu', usage.cpuPercent === null ? '' : `${usage.cpuPercent.toFixed(1)} %`, '  of a core'),
          fact(
            'memory',
            formatBytes(usage.memory),
            usage.memoryLimit ? `  of ${formatBytes(usage.memoryLimit)}` : `  ${formatCount(usage.pids)} processes`,
          ),
        ]
      : []),
  ]
  return lines.map(parts => line(columns, [' ', ...parts]))
}

const LABEL = 9

/** The newest lines of a log that fit, in `rows` lines of `columns`. */
export function tailLines(
  theme: Theme,
  columns: number,
  rows: number,
  tail: Pick<Tail, 'first' | 'end' | 'line' | 'state'> | null,
): string[] {
  const note = (text: string) => [line(columns, [[theme.dim, ` ${text}`]])]
  if (!tail) return []
  const from = Math.max(tail.first(), tail.end() - rows)
  if (from === tail.end()) {
    const state = tail.state()
    if (typeof state === 'object') return note(state.trouble)
    return state === 'reading' ? [] : note(state === 'ended' ? 'It has said nothing.' : 'It has said nothing yet.')
  }
  const lines: string[] = []
  for (let number = from; number < tail.end(); number++) {
    const one = tail.line(number)!
    // What came on standard error stands out.
    const edge: Part = one.error ? [theme.warning, '!'] : ' '
    lines.push(line(columns, [edge, ...lookParts(theme, prettyJson(one.text, 'off', 0) ?? one, 0, columns * 8)]))
  }
  return lines
}

/** Whether more may come, for the title. */
export function tailState(theme: Theme, tail: Pick<Tail, 'state'> | null): Part[] {
  const state = tail?.state()
  if (state === 'following')
    return [
      [theme.ok, theme.glyph.marked],
      [theme.dim, ' following'],
    ]
  if (state === 'ended') return [[theme.dim, 'ended']]
  return typeof state === 'object' ? [[theme.warning, 'lost']] : []
}
