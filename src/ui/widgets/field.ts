/** A line of text being typed: pure editing, whole characters (graphemes) at a time, and its look. */
import { safe, width } from '../../base/text.ts'
import type { InputEvent } from '../terminal/events.ts'
import type { Theme } from '../theme.ts'
import type { Part } from './line.ts'

export interface Field {
  readonly text: string
  /** Index into `text` where the next character goes. */
  readonly at: number
}

/** No name and no pattern is longer; a paste beyond it is cut. */
const LONGEST = 4096

/** A field with its cursor at the end. */
export function field(text = ''): Field {
  return { text, at: text.length }
}

/** The field after an event; null when the event edits nothing. */
export function editField(field: Field, event: InputEvent): Field | null {
  if (event.kind === 'paste') return insert(field, oneLine(event.text))
  if (event.kind !== 'key') return null
  if (event.text !== '') return insert(field, event.text)
  return edits[event.key]?.(field) ?? null
}

/** The part of a field that fits, around its cursor, which is drawn as a reversed cell. Takes at most `columns`. */
export function fieldParts(theme: Theme, field: Field, columns: number): Part[] {
  const cells = [...segmenter.segment(field.text)].map(({ segment, index }) => ({ text: safe(segment), index }))
  const under = cells.findIndex(cell => cell.index === field.at)
  const cursor = under < 0 ? ' ' : cells[under]!.text
  const at = under < 0 ? cells.length : under
  let room = columns - width(cursor)
  let first = at
  while (first > 0 && width(cells[first - 1]!.text) <= room) room -= width(cells[--first]!.text)
  let last = at + 1
  while (last < cells.length && width(cells[last]!.text) <= room) room -= width(cells[last++]!.text)
  const shown = (from: number, to: number) =>
    cells
      .slice(from, to)
      .map(cell => cell.text)
      .join('')
  return [shown(first, at), [theme.cursor, cursor], shown(at + 1, last)]
}

const segmenter = new Intl.Segmenter()

function oneLine(text: string): string {
  return text.replace(/[\r\n]+$/, '').replace(/[\x00-\x1f\x7f-\x9f]+/g, ' ')
}

function insert(field: Field, text: string): Field {
  const added = text.slice(0, Math.max(0, LONGEST - field.text.length))
  return { text: field.text.slice(0, field.at) + added + field.text.slice(field.at), at: field.at + added.length }
}

const edits: Record<string, (field: Field) => Field> = {
  left: field => ({ ...field, at: before(field) }),
  'ctrl-b': field => ({ ...field, at: before(field) }),
  right: field => ({ ...field, at: after(field) }),
  'ctrl-f': field => ({ ...field, at: after(field) }),
  home: field => ({ ...field, at: 0 }),
  'ctrl-a': field => ({ ...field, at: 0 }),
  end: field => ({ ...field, at: field.text.length }),
  'ctrl-e': field => ({ ...field, at: field.text.length }),
  'ctrl-left': field => ({ ...field, at: wordBefore(field) }),
  'alt-b': field => ({ ...field, at: wordBefore(field) }),
  'ctrl-right': field => ({ ...field, at: wordAfter(field) }),
  'alt-f': field => ({ ...field, at: wordAfter(field) }),
  backspace: field => remove(field, before(field), field.at),
  delete: field => remove(field, field.at, after(field)),
  'ctrl-d': field => remove(field, field.at, after(field)),
  'ctrl-w': field => remove(field, wordBefore(field), field.at),
  'alt-backspace': field => remove(field, wordBefore(field), field.at),
  'ctrl-u': field => remove(field, 0, field.at),
  'ctrl-k': field => remove(field, field.at, field.text.length),
}

function remove(field: Field, from: number, to: number): Field {
  return { text: field.text.slice(0, from) + field.text.slice(to), at: from }
}

function before({ text, at }: Field): number {
  const last = [...segmenter.segment(text.slice(0, at))].at(-1)
  return last?.index ?? 0
}

function after({ text, at }: Field): number {
  const [first] = segmenter.segment(text.slice(at))
  return at + (first?.segment.length ?? 0)
}

/** Words end at spaces and slashes, for paths. */
function wordBefore({ text, at }: Field): number {
  return text.slice(0, at).replace(/[^\s/]*[\s/]*$/, '').length
}

function wordAfter({ text, at }: Field): number {
  return at + /^[\s/]*[^\s/]*/.exec(text.slice(at))![0].length
}
