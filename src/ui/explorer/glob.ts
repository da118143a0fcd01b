/**
 * Shell globs as regular expressions over bytes: each byte is one character U+0000..U+00FF of the text that is matched,
 * so that names that are not UTF-8 match like any other.
 */
import { Buffer } from 'node:buffer'

/** The source of a regular expression for the glob: `*` stays within one component, `**` does not, `?` is one character. */
export function globSource(glob: string): string {
  let source = ''
  for (let at = 0; at < glob.length; ) {
    const rest = glob.slice(at)
    const stars = /^\*+/.exec(rest)
    if (stars) {
      const whole = stars[0].length > 1 && rest[stars[0].length] === '/'
      source += whole ? '(?:.*/)?' : stars[0].length > 1 ? '.*' : '[^/]*'
      at += stars[0].length + (whole ? 1 : 0)
      continue
    }
    const set = /^\[([!^]?)((?:\]?[^\]]*))\]/.exec(rest)
    if (set?.[2] && !/[^\x20-\x7e]/.test(set[2])) {
      source += `(?!/)[${set[1] ? '^' : ''}${classBody(set[2])}]`
      at += set[0].length
      continue
    }
    const character = String.fromCodePoint(glob.codePointAt(at)!)
    source += character === '?' ? oneCharacter : literal(character)
    at += character.length
  }
  return source
}

/** One character of UTF-8, or one byte where it is none. */
const oneCharacter = '(?:[\\xc2-\\xf4][\\x80-\\xbf]{1,3}|[^/])'

/** Escapes a class; a range that runs backwards is three characters. */
function classBody(set: string): string {
  const body = set.replace(/[\\\]^]/g, '\\$&')
  return body.replace(/([^\\])-([^\]])/g, (range, low: string, high: string) =>
    low <= high ? range : `${low}\\-${high}`,
  )
}

function literal(character: string): string {
  const bytes = Buffer.from(character, 'utf8').toString('latin1')
  return bytes.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}
