/** What a registry wants before it answers: the header WWW-Authenticate (RFC 9110, 11.6.1). Pure. */

export interface Challenge {
  /** In lower case: `bearer`, `basic`. */
  scheme: string
  /** Names in lower case. */
  parameters: Record<string, string>
}

/** The challenges of one or several headers joined by commas; what is none is left out. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = []
  // Longer than any that makes sense; the pattern below never goes back.
  const text = header.slice(0, 16 << 10)
  const part = /\s*(?:,\s*)*([\w!#$%&'*+.^`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/y
  for (;;) {
    const match = part.exec(text)
    if (match === null) return challenges
    const [, name, quoted, bare] = match
    if (quoted === undefined && bare === undefined) challenges.push({ scheme: name.toLowerCase(), parameters: {} })
    else {
      const last = challenges.at(-1)
      if (last) last.parameters[name.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? bare
    }
  }
}
