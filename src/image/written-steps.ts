/**
 * Which lines of a written Dockerfile made which step. A history names no lines, builders expand, quote and leave out as
 * they like, and a file may have changed since: so both lists are laid beside each other, as a diff would.
 */
import { parseInstruction } from './instruction.ts'
import type { Step } from './types.ts'
import { type Written, type WrittenInstruction, writtenPath } from './written.ts'

/** More of either is not compared; the table of the comparison has this many cells squared. */
const most = 400

/** The instruction of each step, by the step's number. Steps of the base, and those that nothing resembles, have none. */
export function stepsWritten(
  written: Written,
  steps: readonly Step[],
  target?: string,
): ReadonlyMap<number, WrittenInstruction> {
  const before = known.get(steps)
  if (before?.written === written && before.target === target) return before.found
  const found = compare(written, steps, target)
  known.set(steps, { written, target, found })
  return found
}

/** The last answer for a list of steps: a screen asks for every frame. */
const known = new WeakMap<
  readonly Step[],
  { written: Written; target: string | undefined; found: ReadonlyMap<number, WrittenInstruction> }
>()

function compare(written: Written, steps: readonly Step[], target?: string): Map<number, WrittenInstruction> {
  const wrote = writtenPath(written, target).slice(-most)
  const told = steps.slice(-most)
  const left = wrote.map(one => ({ keyword: one.keyword, words: wordsOf(one.text) }))
  const right = told.map(step => {
    const { keyword, text } = parseInstruction(step.createdBy, step.comment)
    return { keyword, words: wordsOf(text) }
  })
  const columns = right.length + 1
  // best[i * columns + j]: how well the first i instructions and the first j steps can lie beside each other.
  const best = new Float64Array((left.length + 1) * columns)
  for (let i = 1; i <= left.length; i++)
    for (let j = 1; j <= right.length; j++)
      best[i * columns + j] = Math.max(
        best[(i - 1) * columns + j],
        best[i * columns + j - 1],
        best[(i - 1) * columns + j - 1] + likeness(left[i - 1], right[j - 1]),
      )
  const found = new Map<number, WrittenInstruction>()
  for (let i = left.length, j = right.length; i > 0 && j > 0; ) {
    const like = likeness(left[i - 1], right[j - 1])
    if (like > 0 && best[i * columns + j] === best[(i - 1) * columns + j - 1] + like) {
      found.set(told[--j].index, wrote[--i])
    } else if (best[i * columns + j] === best[(i - 1) * columns + j]) i--
    else j--
  }
  return found
}

interface Compared {
  keyword: string | null
  words: ReadonlySet<string>
}

/** 0: not the same instruction; up to 4. A RUN has to share a word, others may be all variables. */
function likeness(a: Compared, b: Compared): number {
  if (a.keyword !== b.keyword) return 0
  let shared = 0
  for (const word of a.words) if (b.words.has(word)) shared++
  const share = a.words.size + b.words.size === 0 ? 1 : (2 * shared) / (a.words.size + b.words.size)
  if (share === 0) return a.keyword === 'RUN' ? 0 : 0.5
  return 1 + 3 * share
}

/** Letters and digits alone: quotes, backslashes and blanks are the builder's. */
function wordsOf(text: string): Set<string> {
  return new Set(text.slice(0, 4000).match(/[\p{L}\p{N}_]+/gu) ?? [])
}
