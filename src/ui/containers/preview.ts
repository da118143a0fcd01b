/** The last lines of the container under the cursor, once the cursor rests: what is only passed costs nothing. */
import type { Pace } from './pace.ts'
import { type ContainerRow, runs } from './rows.ts'
import { followLog, type Tail, type TailLine } from './tail.ts'

/** What is shown of a log: what was there when it was drawn last. */
export type Shown = Pick<Tail, 'first' | 'end' | 'line' | 'state'>

export interface Preview {
  /** The row under the cursor; undefined: nobody looks. */
  look(row: ContainerRow | undefined): void
  /** The row that the cursor rested on last. */
  key(): string | null
  log(): Shown | null
}

export interface PreviewOptions {
  /** Rows and columns that the lines have. */
  room(): { columns: number; rows: number }
  pace: Pace
  /** A row that the cursor rests on, for the first time. */
  rested(row: ContainerRow): void
  changed(): void
}

/** Milliseconds that the cursor rests on a row until its log is asked for. */
const REST = 120
/** Lines of the log. */
const TAIL = 200
/** Bytes that a line costs besides its text. */
const AROUND = 12

export function createPreview({ room, pace, rested, changed }: PreviewOptions): Preview {
  let key: string | null = null
  let tail: { key: string; engine: ContainerRow['engine']; running: boolean; log: Tail } | null = null
  let shown: Shown | null = null
  let resting: NodeJS.Timeout | null = null
  let coming: NodeJS.Timeout | null = null
  let row: ContainerRow | undefined

  const rest = () => {
    resting = null
    const here = row
    key = here?.key ?? null
    if (here && isTailOf(here)) return changed()
    stop()
    if (here?.engine && !here.stale) {
      const { engine, container } = here
      const log = followLog({ engine, id: container.id, tail: TAIL, most: TAIL, changed: news })
      tail = { key: here.key, engine, running: runs(container), log }
      rested(here)
    }
    changed()
  }
  /** Whether the log is this one's: of an engine that is lost it is what it said last; one that starts again says more. */
  const isTailOf = ({ key, engine, stale, container }: ContainerRow) => {
    if (tail?.key !== key) return false
    return engine === null || stale || (tail.engine === engine && tail.running === runs(container))
  }
  /** The first lines are shown as they come, later ones as often as there are bytes for them. */
  const news = () => {
    if (shown === null) return show()
    coming ??= setTimeout(show, pace.wait())
  }
  const show = () => {
    if (coming) clearTimeout(coming)
    coming = null
    if (!tail) return
    const { columns, rows } = room()
    const lines = lastLines(tail.log, rows)
    // The first lines are what the person asked for by going there.
    if (shown !== null && tail.log.end() !== shown.end())
      pace.spend(lines.reduce((sum, one) => sum + Math.min(columns, one.text.length) + AROUND, 0))
    shown = frozen(tail.log, lines)
    changed()
  }
  const stop = () => {
    tail?.log.stop()
    tail = null
    shown = null
    if (coming) clearTimeout(coming)
    coming = null
  }

  return {
    key: () => key,
    log: () => (tail?.key === key ? shown : null),
    look(here) {
      row = here
      if (resting) clearTimeout(resting)
      resting = null
      if (!here) {
        key = null
        return stop()
      }
      if (key === null) return rest()
      if (key !== here.key || !isTailOf(here)) resting = setTimeout(rest, REST)
    },
  }
}

function lastLines(log: Tail, rows: number): TailLine[] {
  const lines: TailLine[] = []
  for (let number = Math.max(log.first(), log.end() - rows); number < log.end(); number++) lines.push(log.line(number)!)
  return lines
}

function frozen(log: Tail, lines: readonly TailLine[]): Shown {
  const [end, state] = [log.end(), log.state()]
  const first = end - lines.length
  return { first: () => first, end: () => end, line: number => lines[number - first], state: () => state }
}
