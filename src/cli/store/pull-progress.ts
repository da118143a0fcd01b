/**
 * The layers of a pull or push as docker shows them: on a terminal a line each, in place while something happens to them;
 * in a pipe a line when one is done.
 */
import process from 'node:process'
import { formatBytes } from '../../base/sizes.ts'
import { cutEnd, safe } from '../../base/text.ts'
import { shortDigest } from '../../image/digest.ts'
import type { Digest } from '../../image/types.ts'
import type { Output } from '../output.ts'

/** What happens to a layer, in the words that are shown. */
export interface LayerLine {
  digest: Digest
  done: number
  total: number | null
  /** `Downloading` */
  doing: string
  /** How it is told of: with a bar while it moves, for good when it is over. */
  kind: 'waits' | 'moves' | 'over'
}

export interface LayerLines {
  layer(line: LayerLine): void
  /** A sentence among them. */
  say(text: string): void
  /** Takes away what is drawn in place. */
  end(): void
}

const interval = 100

/** `err` draws where it is a terminal; `plain` takes the lines otherwise, null: nobody. */
export function showLayers(
  err: Output,
  plain: Output | null,
  { now = () => performance.now(), rows = () => process.stderr.rows ?? 24 } = {},
): LayerLines {
  const lines = new Map<Digest, LayerLine>()
  const inPlace = err.terminal && process.env.TERM !== 'dumb'
  let drawn = 0
  let last = Number.NEGATIVE_INFINITY

  function draw(above: string[]): void {
    const open = [...lines.values()].filter(one => one.kind !== 'over')
    const room = Math.max(1, rows() - 2)
    const moving = open.filter(one => one.kind === 'moves')
    const waiting = open.filter(one => one.kind === 'waits')
    const shown = [...moving, ...waiting].slice(0, open.length > room ? room - 1 : room)
    const more = open.length - shown.length
    const texts = [...shown.map(textOf), ...(more > 0 ? [`and ${more} more`] : [])]
    const cut = (text: string) => `${cutEnd(text, err.columns - 1)}\x1b[K\n`
    const up = drawn > 0 ? `\r\x1b[${drawn}A` : ''
    const rest = drawn > texts.length + above.length ? '\x1b[J' : ''
    drawn = texts.length
    void err.write(up + [...above, ...texts].map(cut).join('') + rest)
    void err.flush()
  }

  return {
    layer(line) {
      const before = lines.get(line.digest)
      lines.set(line.digest, line)
      const over = line.kind === 'over' && before?.kind !== 'over'
      if (inPlace) {
        if (!over && now() - last < interval && before !== undefined) return
        last = now()
        draw(over ? [textOf(line)] : [])
      } else if (over && plain) {
        void plain.write(`${textOf(line)}\n`)
        void plain.flush()
      }
    },
    say(text) {
      if (inPlace) return draw([safe(text)])
      void err.write(`${safe(text)}\n`)
      void err.flush()
    },
    end() {
      if (!inPlace || drawn === 0) return
      void err.write(`\r\x1b[${drawn}A\x1b[J`)
      void err.flush()
      drawn = 0
    },
  }
}

const barWidth = 30

function textOf({ digest, done, total, doing, kind }: LayerLine): string {
  const name = `${shortDigest(digest)}: ${doing}`
  if (kind !== 'moves') return name
  if (total === null || total === 0) return `${name}  ${formatBytes(done)}`
  const filled = Math.min(barWidth, Math.floor((done / total) * barWidth))
  const arrow = filled < barWidth ? '>' : ''
  const bar = `${'='.repeat(filled)}${arrow}${' '.repeat(barWidth - filled - arrow.length)}`
  return `${name} [${bar}]  ${formatBytes(done)}/${formatBytes(total)}`
}
