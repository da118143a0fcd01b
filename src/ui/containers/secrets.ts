/** What of an engine's answer looks like a secret. Pure. */

/** A name that tells of one: `DB_PASSWORD`, `apiKey`, `com.example.token`. */
const telling = /pass(?:word|wd|phrase)?|secret|token|api[-_.]?key|private|credential|auth|access[-_.]?key|signing/i
/** `https://user:password@host` */
const inAddress = /([a-z][a-z0-9+.-]{0,32}:\/\/[^\s:/@]{0,256}:)[^\s/@]{1,256}(@)/gi

export const MASK = '••••••'

/** What is to be seen of a text that is under a key ('' for none), and how many secrets were in it; null: all of it. */
export function maskText(text: string, key: string): { text: string; count: number } | null {
  if (key !== '' && text !== '' && telling.test(key)) return { text: MASK, count: 1 }
  const variable = /^([A-Za-z_][\w.-]{0,255})=(.+)$/s.exec(text)
  if (variable && telling.test(variable[1]!)) return { text: `${variable[1]}=${MASK}`, count: 1 }
  let count = 0
  const masked = text.replace(inAddress, (_, before: string, after: string) => {
    count++
    return before + MASK + after
  })
  return count === 0 ? null : { text: masked, count }
}

/** Deeper than this nothing is looked at, nor shown. */
const DEEPEST = 100

/** The same value with its secrets masked, or with `reveal` as they are, and how many there were. */
export function maskSecrets(value: unknown, { reveal = false } = {}): { masked: unknown; count: number } {
  let count = 0
  const walk = (one: unknown, key: string, depth: number): unknown => {
    if (typeof one === 'string') {
      const masked = maskText(one, key)
      count += masked?.count ?? 0
      return reveal ? one : (masked?.text ?? one)
    }
    if (typeof one !== 'object' || one === null) return one
    if (depth > DEEPEST) return '…'
    if (Array.isArray(one)) return one.map(item => walk(item, key, depth + 1))
    return Object.fromEntries(Object.entries(one).map(([name, item]) => [name, walk(item, name, depth + 1)]))
  }
  return { masked: walk(value, '', 0), count }
}
