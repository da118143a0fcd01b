/** What of an engine's answer looks like a secret. Pure. */

/** A name that tells of one: `DB_PASSWORD`, `apiKey`, `com.example.token`. */
const telling = /pass(?:word|wd|phrase)?|secret|token|api[-_.]?key|private|credential|auth|access[-_.]?key|signing/i
/** `https://user:password@host` */
const inAddress = /([a-z][a-z0-9+.-]{0,32}:\/\/[^\s:/@]{0,256}:)[^\s/@]{1,256}(@)/gi

export const MASK = '••••••'

/** The same value with its secrets masked, and how many there were. */
export function maskSecrets(value: unknown): { masked: unknown; count: number } {
  let count = 0
  const text = (one: string): string => {
    const variable = /^([A-Za-z_][\w.-]{0,255})=(.+)$/s.exec(one)
    if (variable && telling.test(variable[1]!)) {
      count++
      return `${variable[1]}=${MASK}`
    }
    return one.replace(inAddress, (_, before: string, after: string) => {
      count++
      return before + MASK + after
    })
  }
  const walk = (one: unknown, key: string): unknown => {
    if (typeof one === 'string') {
      if (key === '' || one === '' || !telling.test(key)) return text(one)
      count++
      return MASK
    }
    if (Array.isArray(one)) return one.map(item => walk(item, ''))
    if (typeof one !== 'object' || one === null) return one
    return Object.fromEntries(Object.entries(one).map(([name, item]) => [name, walk(item, name)]))
  }
  return { masked: walk(value, ''), count }
}
