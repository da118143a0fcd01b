/** The Dockerfile's own quoting: words, `NAME=value` pairs with quotes, and `$NAME` in them. */
import { type Names, splitPairs } from './instruction.ts'

export type Pair = [name: string, value: string]

/** The values that a final config has, by name: what decides between two readings of a line. */
export interface Known extends Names {
  values: ReadonlyMap<string, string>
}

/** What stands for the variables of a text; undefined: unknown. */
export type Variables = Pick<ReadonlyMap<string, string>, 'get'>

/** All that a replay ever expands, characters; no environment comes near it, but `A=$A$A` again and again would. */
const mostExpanded = 4 << 20

/** Variables that are unknown once so much has been taken out of them. */
export function frugal(env: ReadonlyMap<string, string>): Variables {
  let left = mostExpanded
  return {
    get(name) {
      const value = env.get(name)
      if (value === undefined || value.length > left) return undefined
      left -= value.length
      return value
    },
  }
}

/**
 * The pairs of an ENV or LABEL. Docker's builders write values bare and expanded, buildah and kaniko keep the quotes
 * and variables of the Dockerfile, and nothing tells which: the final values decide, and where they do not, whether the
 * builder is one that writes bare.
 */
export function parsePairs(text: string, known: Known, env: Variables, writesBare: boolean): Pair[] {
  const bare = splitPairs(text, known.names.size > 0 ? known : undefined).map(toPair)
  const written = writtenPairs(text, env)
  const difference = score(bare, known) - score(written, known)
  if (difference !== 0) return difference > 0 ? bare : written
  return writesBare && text.includes('=') ? bare : written
}

function score(pairs: Pair[], { values, names }: Known): number {
  let sum = 0
  for (const [name, value] of pairs) sum += values.get(name) === value ? 2 : names.has(name) ? 0 : -1
  return sum
}

/** `a "b c" d\ e` as words, their quotes kept. */
export function words(text: string): string[] {
  return text.match(/(?:"(?:[^"\\]|\\[\s\S])*"|'[^']*'|\\[\s\S]|[^\s"'\\]|["'\\])+/g) ?? []
}

/** A word without its quotes, with its variables replaced as Docker does in ENV, WORKDIR, USER, …; single quotes protect. */
export function unquote(word: string, env: Variables): string {
  return word.replace(
    /'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|\$(?:\{(\w+)(?::([-+])([^}]*))?\}|(\w+))/g,
    (whole, single, double, escaped, braced, operator, operand, plain) => {
      if (single !== undefined) return single
      if (double !== undefined) return unquoteDouble(double, env)
      if (escaped !== undefined) return escaped
      return variable(env.get(braced ?? plain), operator, operand, whole)
    },
  )
}

function unquoteDouble(content: string, env: Variables): string {
  return content.replace(
    /\\(["\\$])|\$(?:\{(\w+)(?::([-+])([^}]*))?\}|(\w+))/g,
    (whole, escaped, braced, operator, operand, plain) => {
      if (escaped !== undefined) return escaped
      return variable(env.get(braced ?? plain), operator, operand, whole)
    },
  )
}

/** An unknown variable may be a build argument that history does not tell: it stays as it is written. */
function variable(value: string | undefined, operator: string | undefined, operand: string, whole: string): string {
  if (operator === '-') return value || operand
  if (operator === '+') return value ? operand : ''
  return value ?? whole
}

function writtenPairs(text: string, env: Variables): Pair[] {
  const parts = words(text)
  if (parts.length > 0 && !parts[0].includes('=')) {
    const name = parts[0]
    return [[name, unquote(text.slice(text.indexOf(name) + name.length).trim(), env)]]
  }
  return parts
    .filter(part => part.includes('='))
    .map(part => {
      const [name, value] = toPair(part)
      return [unquote(name, env), unquote(value, env)]
    })
}

/** `NAME=value` at its first equals sign. */
export function toPair(text: string): Pair {
  const at = text.indexOf('=')
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}
