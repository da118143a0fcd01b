/** Harmless text broken into lines at spaces; what has none is broken where it must. */
import { width } from '../../base/text.ts'

/** Lines of at most `columns`; those after the first are indented. A word that is too wide is broken between letters. */
export function wrap(text: string, columns: number, indent = ''): string[] {
  if (columns < 1) return []
  const lines: string[] = []
  let current = ''
  const room = () => columns - (lines.length > 0 ? indent.length : 0)
  const flush = () => {
    lines.push((lines.length > 0 ? indent : '') + current.trimEnd())
    current = ''
  }
  for (const word of text.split(/(?<=\s)(?=\S)/)) {
    if (current !== '' && width(current) + width(word.trimEnd()) > room()) flush()
    let rest = word
    while (width(rest.trimEnd()) > room()) {
      const head = breakAfterSign(takeColumns(rest, Math.max(1, room())))
      current = head
      rest = rest.slice(head.length)
      flush()
    }
    current += rest
  }
  if (current.trim() !== '' || lines.length === 0) flush()
  return lines
}

/** A long word is broken after a sign rather than within a name, where that does not waste much. */
function breakAfterSign(head: string): string {
  const sign = Math.max(...[...':/,;&=|'].map(one => head.lastIndexOf(one)))
  return sign > head.length * 0.6 ? head.slice(0, sign + 1) : head
}

/** The beginning of a text that fits into so many columns: at least one character. */
export function takeColumns(text: string, columns: number): string {
  if (!/[^\x20-\x7e]/.test(text.slice(0, columns + 1))) return text.slice(0, columns)
  let used = 0
  let end = 0
  for (const { segment } of segmenter.segment(text.slice(0, columns * 8 + 16))) {
    used += width(segment)
    if (used > columns && end > 0) break
    end += segment.length
    if (used >= columns) break
  }
  return text.slice(0, end)
}

const segmenter = new Intl.Segmenter()
