/** Words of a command and the line that a person types for them: POSIX shell quoting, both ways. Pure. */

/** The line that a POSIX shell takes for exactly these words. A NUL, which no word can hold, is left out. */
export function shellLine(words: readonly string[]): string {
  return words.map(quoted).join(' ')
}

export interface SplitLine {
  words: string[]
  /** Why it is no line of a shell, a sentence; null when it is one. The words are what was meant so far. */
  problem: string | null
}

/** The words that quotes and backslashes of a line make; nothing of it is expanded. */
export function splitLine(line: string): SplitLine {
  const words: string[] = []
  let word: string | null = null
  let quote: '"' | "'" | null = null
  for (let at = 0; at < line.length; at++) {
    const character = line[at]!
    if (quote === "'") {
      if (character === "'") quote = null
      else word += character
    } else if (character === '\\') {
      const next = line[++at]
      if (next === undefined) return { words: withLast(words, word), problem: 'A backslash stands at its end.' }
      word = (word ?? '') + (quote === '"' && !'$`"\\\n'.includes(next) ? `\\${next}` : next)
    } else if (quote === '"') {
      if (character === '"') quote = null
      else word += character
    } else if (character === '"' || character === "'") {
      quote = character
      word ??= ''
    } else if (/\s/.test(character)) {
      if (word !== null) words.push(word)
      word = null
    } else word = (word ?? '') + character
  }
  return { words: withLast(words, word), problem: quote === null ? null : `A quote (${quote}) is not closed.` }
}

function withLast(words: string[], word: string | null): string[] {
  return word === null ? words : [...words, word]
}

/** `=` and `~` in front mean something to some shells. */
function quoted(word: string): string {
  const text = word.replaceAll('\0', '')
  return /^[\w@%+:,./-][\w@%+=:,./-]*$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
