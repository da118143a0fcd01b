/**
 * The filter language of the trees and lists: words with a space between them that must all hold.
 *
 *   foo        the name holds foo (small letters match both cases, a capital letter makes it exact)
 *   etc/pass   a word with a slash is looked for in the path
 *   *.so       glob over the whole name, with a slash over the end of the path (`/` first: the whole path); v[12] anywhere
 *   /re.*x/    regular expression over the path, which begins with a slash; /re/i ignores case
 *   size>1M    also < >= <= =       type:link   file dir link hard device fifo exec setuid
 *   change:A   letters of A C D, `any`, `none`; `+` `~` `-` alone are short for A C D
 *   owner:app  name or number, `app:staff` with the group       step:5  what stands there comes from this step
 *   !word      the word must not hold       "two words"  quotes keep spaces together
 */
import { parseBytes } from '../../base/sizes.ts'
import { globSource } from './glob.ts'

export type Term =
  | { kind: 'text'; text: string; exact: boolean; inPath: boolean }
  | { kind: 'pattern'; pattern: RegExp; over: 'name' | 'path'; bytes: boolean }
  | { kind: 'size'; low: number; high: number }
  | { kind: 'type'; type: TypeWord }
  | { kind: 'change'; letters: string }
  | { kind: 'owner'; user: string; group: string | null }
  | { kind: 'step'; step: number }

export interface Filter {
  /** As it was typed. */
  text: string
  /** All must hold; empty: everything passes. */
  terms: { term: Term; not: boolean }[]
}

export type FilterResult = { ok: true; filter: Filter } | { ok: false; error: string }

export const typeWords = ['file', 'dir', 'link', 'hard', 'device', 'fifo', 'exec', 'setuid', 'empty'] as const
export type TypeWord = (typeof typeWords)[number]

/** Reads a filter as it is being typed. An error is half a sentence for the line under the prompt. */
export function parseFilter(text: string): FilterResult {
  const terms: Filter['terms'] = []
  for (const word of words(text)) {
    const not = word.text.length > 1 && word.text.startsWith('!') && !word.quoted
    const term = word.quoted ? plain(word.text) : parseTerm(not ? word.text.slice(1) : word.text)
    if (typeof term === 'string') return { ok: false, error: term }
    if (term) terms.push({ term, not })
  }
  return { ok: true, filter: { text, terms } }
}

interface Word {
  text: string
  quoted: boolean
}

/** Splits at spaces; quotes and the slashes of a regular expression keep spaces together. */
function words(text: string): Word[] {
  const found: Word[] = []
  const word = /\s*(?:"([^"]*)"?|(!?\/(?:[^/\\\s]|\\.)(?:[^/\\]|\\.)*\/i?(?=\s|$))|(\S+))/gy
  for (let match = word.exec(text); match; match = word.exec(text)) {
    if (match[1] !== undefined) {
      if (match[1]) found.push({ text: match[1], quoted: true })
    } else found.push({ text: match[2] ?? match[3]!, quoted: false })
  }
  return found
}

/** A term, null for a word that says nothing yet, or what is wrong with it. */
function parseTerm(word: string): Term | null | string {
  const short = { '+': 'A', '~': 'C', '-': 'D' }[word]
  if (short) return { kind: 'change', letters: short }
  const regex = /^\/(.+)\/(i?)$/s.exec(word)
  if (regex) return parseRegex(regex[1]!, regex[2]!)
  const size = /^size\s*(>=|<=|>|<|=|:)(.*)$/i.exec(word)
  if (size) return parseSize(size[1]!, size[2]!)
  const field = /^(type|change|owner|step):(.*)$/i.exec(word)
  if (field) return parseField(field[1]!.toLowerCase(), field[2]!)
  return plain(word)
}

function plain(word: string): Term {
  if (!/[*?]|\[[^\]]+\]/.test(word)) {
    return { kind: 'text', text: word, exact: exact(word), inPath: word.includes('/') }
  }
  const over = word.includes('/') ? 'path' : 'name'
  const source = globSource(word.replace(/^\//, ''))
  // A class alone is no wildcard at an end: `page-[12]` is looked for anywhere in a name.
  const whole = /[*?]/.test(word)
  const start = !whole ? '' : over === 'name' ? '^' : word.startsWith('/') ? '^/' : '/'
  const pattern = new RegExp(`${start}${source}${whole ? '$' : ''}`, `s${exact(word) ? '' : 'i'}`)
  return { kind: 'pattern', pattern, over, bytes: true }
}

/** Smart case: a capital letter says that case matters. */
function exact(word: string): boolean {
  return word !== word.toLowerCase()
}

function parseRegex(source: string, flags: string): Term | string {
  try {
    return {
      kind: 'pattern',
      pattern: new RegExp(source, flags || !exact(source) ? 'iu' : 'u'),
      over: 'path',
      bytes: false,
    }
  } catch (error) {
    const reason = (error as Error).message.replace(/^Invalid regular expression: .*: /s, '')
    return `/${source}/ is no regular expression: ${reason.toLowerCase()}`
  }
}

function parseSize(operator: string, text: string): Term | null | string {
  if (text === '') return null
  const bytes = parseBytes(text)
  if (bytes === null) return `“${text}” is no size; write 500k, 1.5M or 2GiB`
  const below = Math.max(0, bytes - 1)
  if (operator === '>') return { kind: 'size', low: bytes + 1, high: Number.POSITIVE_INFINITY }
  if (operator === '>=') return { kind: 'size', low: bytes, high: Number.POSITIVE_INFINITY }
  if (operator === '<') return { kind: 'size', low: 0, high: bytes === 0 ? -1 : below }
  if (operator === '<=') return { kind: 'size', low: 0, high: bytes }
  return { kind: 'size', low: bytes, high: bytes }
}

function parseField(field: string, value: string): Term | null | string {
  if (value === '') return null
  if (field === 'type') return parseType(value.toLowerCase())
  if (field === 'change') return parseChange(value)
  if (field === 'step') {
    if (!/^\d{1,6}$/.test(value)) return `step: wants a number, not “${value}”`
    return { kind: 'step', step: Number(value) }
  }
  const [user, group] = value.split(':')
  return { kind: 'owner', user: user!, group: group ? group : null }
}

const typeAliases: Record<string, TypeWord> = {
  f: 'file',
  d: 'dir',
  directory: 'dir',
  l: 'link',
  symlink: 'link',
  hardlink: 'hard',
  dev: 'device',
  pipe: 'fifo',
  executable: 'exec',
  suid: 'setuid',
}

function parseType(value: string): Term | string {
  const exactly =
    typeAliases[value] ?? typeWords.find(word => word === value) ?? typeWords.find(word => word.startsWith(value))
  if (!exactly) return `there is no type “${value}”; types are ${typeWords.join(', ')}`
  return { kind: 'type', type: exactly }
}

function parseChange(value: string): Term | string {
  if (value === 'any') return { kind: 'change', letters: 'ACD' }
  if (value === 'none') return { kind: 'change', letters: ' ' }
  const letters = value
    .toUpperCase()
    .replaceAll('+', 'A')
    .replaceAll('~', 'C')
    .replaceAll('-', 'D')
    .replaceAll('M', 'C')
  if (/^[ACD,]+$/.test(letters)) return { kind: 'change', letters: letters.replaceAll(',', '') }
  return `change: wants A, C or D (or any, none), not “${value}”`
}
