/** The difference of two texts, line by line: Myers' O(ND) algorithm, bounded, with lines of context around changes. */

export interface DiffLine {
  kind: 'same' | 'added' | 'removed' | 'gap'
  text: string
}

/** More differing lines than this are not lined up. */
const MOST_EDITS = 1500

/**
 * What to take away and what to add, with `context` equal lines around; null where the texts have too little in common.
 * Time and memory are bounded by the number of edits.
 */
export function diffLines(before: readonly string[], after: readonly string[], context = 3): DiffLine[] | null {
  const all = lineEdits(before, after)
  return all && hunks(all, context)
}

/** The same with all equal lines. */
export function lineEdits(before: readonly string[], after: readonly string[]): DiffLine[] | null {
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start++
  let end = 0
  const most = Math.min(before.length, after.length) - start
  while (end < most && before[before.length - 1 - end] === after[after.length - 1 - end]) end++
  const middle = edits(before.slice(start, before.length - end), after.slice(start, after.length - end))
  if (!middle) return null
  const same = (text: string): DiffLine => ({ kind: 'same', text })
  return [...before.slice(0, start).map(same), ...middle, ...before.slice(before.length - end).map(same)]
}

function edits(a: readonly string[], b: readonly string[]): DiffLine[] | null {
  const limit = Math.min(a.length + b.length, MOST_EDITS)
  const reach = new Int32Array(2 * limit + 3)
  const trail: Int32Array[] = []
  const middle = limit + 1
  for (let d = 0; d <= limit; d++) {
    trail.push(reach.slice(middle - d - 1, middle + d + 2))
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && reach[middle + k - 1]! < reach[middle + k + 1]!)
      let x = down ? reach[middle + k + 1]! : reach[middle + k - 1]! + 1
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++
      reach[middle + k] = x
      if (x >= a.length && x - k >= b.length) return walkBack(a, b, trail, d)
    }
  }
  return null
}

/** From the end to the beginning along the furthest reaching paths. `trail[d]` holds diagonals -d-1 to d+1 before step d. */
function walkBack(a: readonly string[], b: readonly string[], trail: Int32Array[], steps: number): DiffLine[] {
  const lines: DiffLine[] = []
  let x = a.length
  let y = b.length
  for (let d = steps; d > 0; d--) {
    const reach = trail[d]!
    const at = (k: number) => reach[k + d + 1]!
    const k = x - y
    const down = k === -d || (k !== d && at(k - 1) < at(k + 1))
    // The step is one edit, then equal lines: walked backwards, the equal lines come first.
    const afterEdit = down ? at(k + 1) : at(k - 1) + 1
    while (x > afterEdit) {
      lines.push({ kind: 'same', text: a[--x]! })
      y--
    }
    if (down) lines.push({ kind: 'added', text: b[--y]! })
    else lines.push({ kind: 'removed', text: a[--x]! })
  }
  while (x > 0) lines.push({ kind: 'same', text: a[--x]! })
  return lines.reverse()
}

function hunks(lines: readonly DiffLine[], context: number): DiffLine[] {
  const keep = new Uint8Array(lines.length)
  lines.forEach((line, at) => {
    if (line.kind === 'same') return
    keep.fill(1, Math.max(0, at - context), Math.min(lines.length, at + context + 1))
  })
  const shown: DiffLine[] = []
  let left = 0
  const gap = () => {
    if (left > 0) shown.push({ kind: 'gap', text: `${left} equal ${left === 1 ? 'line' : 'lines'}` })
    left = 0
  }
  lines.forEach((line, at) => {
    if (keep[at]) {
      gap()
      shown.push(line)
    } else left++
  })
  gap()
  return shown
}
