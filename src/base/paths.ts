/** Paths are bytes: names in a tar need not be UTF-8. A canonical path has no leading, trailing or double slash. */

const SLASH = 0x2f
const DOT = 0x2e

/**
 * The canonical form of a path (layer/README.md, rule 10): `./a`, `/a`, `a/` are `a`; `..` takes one component back and
 * never climbs out of the root. The root itself is the empty path.
 */
export function normalisePath(path: Uint8Array): Uint8Array {
  if (isCanonical(path)) return path
  const out = new Uint8Array(path.length)
  const starts: number[] = []
  let length = 0
  for (const { start, end } of components(path)) {
    if (end - start === 2 && path[start] === DOT && path[start + 1] === DOT) {
      length = starts.pop() ?? 0
      continue
    }
    starts.push(length)
    if (length > 0) out[length++] = SLASH
    out.set(path.subarray(start, end), length)
    length += end - start
  }
  return out.subarray(0, length)
}

/** The components of a path as ranges of its bytes, without empty ones and `.`; `..` is handed out as it stands. */
export function* components(path: Uint8Array): Generator<{ start: number; end: number }> {
  let start = 0
  while (start < path.length) {
    let end = path.indexOf(SLASH, start)
    if (end < 0) end = path.length
    if (end > start && !(end - start === 1 && path[start] === DOT)) yield { start, end }
    start = end + 1
  }
}

/** The path as the kernel would be given it from a string; invalid surrogates become U+FFFD as everywhere in Node. */
export function pathBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** Byte-wise order, as `LC_ALL=C sort`: negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = a[i]! - b[i]!
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0
}

/** Whether there is nothing to normalise, without allocating: by far the most frequent case. */
function isCanonical(path: Uint8Array): boolean {
  let start = 0
  for (let i = 0; i <= path.length; i++) {
    if (i < path.length && path[i] !== SLASH) continue
    const length = i - start
    if (length === 0) return path.length === 0
    if (path[start] === DOT && (length === 1 || (length === 2 && path[start + 1] === DOT))) return false
    start = i + 1
  }
  return true
}
