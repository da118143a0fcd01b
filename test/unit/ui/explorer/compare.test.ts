/** Two versions of a text beside each other: which lines belong together, which words differ. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Pieces, pairLines, wordPieces } from '../../../../src/ui/explorer/compare/pairs.ts'

/** `1 a | 1 a`, `2 b ~ 2 B`, `3 c <`, `> 3 d`, `… 4` a row. */
function said(before: string, after: string, context: number | null = null): string[] {
  const { rows } = pairLines(before.split(' '), after.split(' '), context)
  const side = (one: { number: number; text: string } | null) => (one ? `${one.number} ${one.text}` : '')
  const signs = { same: '|', changed: '~', added: '>', removed: '<', gap: '…' }
  return rows.map(row => `${side(row.before)} ${signs[row.kind]} ${side(row.after)}${row.hidden || ''}`.trim())
}

describe('lines', () => {
  test('equal ones stand beside each other with their own numbers', () => {
    expect(said('a b c', 'a x b c')).toEqual(['1 a | 1 a', '> 2 x', '2 b | 3 b', '3 c | 4 c'])
  })

  test('of those that went and those that came, the first stands beside the first', () => {
    expect(said('a b c d', 'a x d')).toEqual(['1 a | 1 a', '2 b ~ 2 x', '3 c <', '4 d | 3 d'])
  })

  test('what is equal far from differences is folded', () => {
    expect(said('a b c d e f g', 'a b c d e f h', 1)).toEqual(['… 5', '6 f | 6 f', '7 g ~ 7 h'])
  })

  test('differences can be gone to', () => {
    const { starts, added, removed } = pairLines(['a', 'b', 'c', 'd'], ['a', 'x', 'y', 'c'], null)
    expect([starts, added, removed]).toEqual([[1, 4], 2, 2])
  })

  test('texts with nothing in common are shown whole, and it is said', () => {
    const many = (word: string) => Array.from({ length: 1600 }, (_, at) => `${word}${at}`)
    const { rows, apart } = pairLines(many('a'), many('b'), 3)
    expect([rows.length, apart, rows[0]?.kind]).toEqual([1600, true, 'changed'])
  })

  test('each side is the whole text in its order', () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 30 })
    fc.assert(
      fc.property(text, text, (before, after) => {
        const { rows } = pairLines(before, after, null)
        expect(rows.flatMap(row => row.before?.text ?? [])).toEqual(before)
        expect(rows.flatMap(row => row.after?.text ?? [])).toEqual(after)
        for (const row of rows) if (row.kind === 'same') expect(row.before!.text).toBe(row.after!.text)
      }),
    )
  })
})

describe('words', () => {
  const marked = (pieces: Pieces) => pieces.map(({ text, differs }) => (differs ? `[${text}]` : text)).join('')

  test('those that differ stand out on both sides', () => {
    expect(wordPieces('port = 8080;', 'port = 9090;').map(marked)).toEqual(['port = [8080];', 'port = [9090];'])
  })

  test('lines with next to nothing in common are marked whole', () => {
    expect(wordPieces('alpha, beta', 'gamma, delta').map(marked)).toEqual(['[alpha, beta]', '[gamma, delta]'])
  })

  test('a line of very many words is not looked into', () => {
    const long = 'a '.repeat(500)
    expect(wordPieces(`${long}b`, `${long}c`).map(pieces => pieces.length)).toEqual([1, 1])
  })
})
