/** Text in lines of at most so many columns, for dialogs: broken at spaces, inside of a word where it has to be. */
import { width } from '../../base/text.ts'

/** The lines of a harmless text; one empty line for an empty text. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = []
  let current = ''
  for (const word of text.split(' ')) {
    const longer = current === '' ? word : `${current} ${word}`
    if (width(longer) <= columns) {
      current = longer
      continue
    }
    if (current !== '') lines.push(current)
    const pieces = broken(word, columns)
    lines.push(...pieces.slice(0, -1))
    current = pieces.at(-1)!
  }
  return [...lines, current]
}

function broken(word: string, columns: number): string[] {
  if (width(word) <= columns) return [word]
  const pieces: string[] = []
  let piece = ''
  for (const { segment } of segmenter.segment(word)) {
    if (piece !== '' && width(piece + segment) > columns) {
      pieces.push(piece)
      piece = ''
    }
    piece += segment
  }
  return [...pieces, piece]
}

const segmenter = new Intl.Segmenter()
