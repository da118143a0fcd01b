/** Two texts as rows of two sides: equal lines beside each other, and of those that differ the ones that belong together. Pure. */
import { type DiffLine, lineEdits } from '../text-diff.ts'

export interface Side {
  /** Of the line, from 1. */
  number: number
  text: string
}

export interface PairRow {
  kind: 'same' | 'changed' | 'added' | 'removed' | 'gap'
  before: Side | null
  after: Side | null
  /** Of a gap: how many equal lines are not shown. */
  hidden: number
}

export interface Pairs {
  rows: readonly PairRow[]
  /** Rows at which a difference begins. */
  starts: readonly number[]
  added: number
  removed: number
  /** The texts have so little in common that nothing was lined up. */
  apart: boolean
}

/** `context`: so many equal lines around differences; null: all of them. */
export function pairLines(before: readonly string[], after: readonly string[], context: number | null): Pairs {
  const edits = lineEdits(before, after)
  const all = edits ? paired(edits) : separate(before, after)
  const rows = context === null ? all : folded(all, context)
  const starts: number[] = []
  rows.forEach((row, at) => {
    const differs = (one: PairRow | undefined) => one !== undefined && one.kind !== 'same' && one.kind !== 'gap'
    if (differs(row) && !differs(rows[at - 1])) starts.push(at)
  })
  const count = (side: 'before' | 'after') => all.filter(row => row.kind !== 'same' && row[side] !== null).length
  return { rows, starts, added: count('after'), removed: count('before'), apart: edits === null }
}

/** Runs of lines that went and came are laid beside each other, the first beside the first. */
function paired(edits: readonly DiffLine[]): PairRow[] {
  const rows: PairRow[] = []
  let left: Side[] = []
  let right: Side[] = []
  let [numberBefore, numberAfter] = [1, 1]
  const flush = () => {
    for (let at = 0; at < Math.max(left.length, right.length); at++) {
      const [before, after] = [left[at] ?? null, right[at] ?? null]
      const kind = before && after ? 'changed' : before ? 'removed' : 'added'
      rows.push({ kind, before, after, hidden: 0 })
    }
    left = []
    right = []
  }
  for (const { kind, text } of edits) {
    if (kind === 'removed') left.push({ number: numberBefore++, text })
    else if (kind === 'added') right.push({ number: numberAfter++, text })
    else {
      flush()
      const [before, after] = [
        { number: numberBefore++, text },
        { number: numberAfter++, text },
      ]
      rows.push({ kind: 'same', before, after, hidden: 0 })
    }
  }
  flush()
  return rows
}

function separate(before: readonly string[], after: readonly string[]): PairRow[] {
  const lines = (kind: 'removed' | 'added', texts: readonly string[]) => texts.map((text): DiffLine => ({ kind, text }))
  return paired([...lines('removed', before), ...lines('added', after)])
}

function folded(rows: readonly PairRow[], context: number): PairRow[] {
  const keep = new Uint8Array(rows.length)
  rows.forEach((row, at) => {
    if (row.kind !== 'same') keep.fill(1, Math.max(0, at - context), Math.min(rows.length, at + context + 1))
  })
  const shown: PairRow[] = []
  let hidden = 0
  const gap = () => {
    if (hidden > 0) shown.push({ kind: 'gap', before: null, after: null, hidden })
    hidden = 0
  }
  rows.forEach((row, at) => {
    if (!keep[at]) {
      hidden++
      return
    }
    gap()
    shown.push(row)
  })
  gap()
  return shown
}

/** Pieces of a line: those that the other line has too, and those that it has not. */
export type Pieces = { text: string; differs: boolean }[]

/** Words that are not compared further: a line of a minified file. */
const MOST_WORDS = 400

/** What of a line is different, by words; both sides. */
export function wordPieces(before: string, after: string): [Pieces, Pieces] {
  const [a, b] = [wordsOf(before), wordsOf(after)]
  const edits = a.length > MOST_WORDS || b.length > MOST_WORDS ? null : lineEdits(a, b)
  if (!edits) return [[{ text: before, differs: true }], [{ text: after, differs: true }]]
  const [left, right]: [Pieces, Pieces] = [[], []]
  const put = (pieces: Pieces, text: string, differs: boolean) => {
    const last = pieces.at(-1)
    if (last?.differs === differs) last.text += text
    else pieces.push({ text, differs })
  }
  let same = 0
  for (const { kind, text } of edits) {
    if (kind !== 'added') put(left, text, kind === 'removed')
    if (kind !== 'removed') put(right, text, kind === 'added')
    if (kind === 'same' && text.trim() !== '') same += text.length
  }
  // Where next to nothing is equal, marking all but a comma says less than marking all.
  if (same * 5 < Math.min(before.length, after.length))
    return [[{ text: before, differs: true }], [{ text: after, differs: true }]]
  return [left, right]
}

function wordsOf(line: string): string[] {
  return line.match(/[\p{L}\p{N}_]+|\s+|[^\p{L}\p{N}_\s]/gu) ?? []
}
