/**
 * What a history line's `created_by` says, in any of its spellings: classic builder (`/bin/sh -c #(nop)  ENV A=b`),
 * BuildKit (`ENV A=b`, `RUN |1 A=b /bin/sh -c … # buildkit`), buildah, kaniko (the Dockerfile's own words), Windows.
 */

export interface Instruction {
  /** null: the line is no Dockerfile instruction (`docker commit`, `docker import`, bazel, buildpacks, …). */
  keyword: Keyword | null
  /** What follows the keyword; of a RUN the command without its shell. */
  text: string
  /** The shell of a RUN as it stood before the command: `/bin/sh -c`; null when there was none. */
  shell: string | null
  /** The build arguments of a RUN: `NAME=value`. */
  args: string[]
  /** Who spelled it. Docker's builders write values expanded and without quotes; others keep the Dockerfile's own text. */
  spelling: 'classic' | 'buildkit' | 'plain'
}

const keywords = [
  'ADD',
  'ARG',
  'CMD',
  'COPY',
  'ENTRYPOINT',
  'ENV',
  'EXPOSE',
  'FROM',
  'HEALTHCHECK',
  'LABEL',
  'MAINTAINER',
  'ONBUILD',
  'RUN',
  'SHELL',
  'STOPSIGNAL',
  'USER',
  'VOLUME',
  'WORKDIR',
] as const
export type Keyword = (typeof keywords)[number]

/** Reads one `created_by`; `comment` of the same history line tells BuildKit's lines apart. Never fails. */
export function parseInstruction(createdBy: string | null, comment: string | null = null): Instruction {
  const whole = (createdBy ?? '').trim()
  const line = whole.endsWith('# buildkit') ? whole.slice(0, -10).trimEnd() : whole
  const spelling = line !== whole || comment?.startsWith('buildkit') ? 'buildkit' : 'plain'
  const noop = /#\(nop\)\s/.exec(line.slice(0, 600))
  if (noop) return instruction(line.slice(noop.index + noop[0].length).trim(), 'classic')
  const run = runOf(line)
  if (run) return { keyword: 'RUN', spelling: spelling === 'plain' ? 'classic' : spelling, ...run }
  return instruction(line, spelling)
}

function instruction(line: string, spelling: Instruction['spelling']): Instruction {
  const word = /^([A-Z]{3,11})(?:\s+|$)/.exec(line)
  const keyword = keywords.find(one => one === word?.[1]) ?? null
  const text = keyword ? line.slice(word![0].length).trim() : line
  if (keyword === 'RUN') return { keyword, spelling, ...(runOf(text) ?? { text, shell: null, args: [] }) }
  return { keyword, text, shell: null, args: [], spelling }
}

/** `|2 A=1 B=2 /bin/sh -c make` or `/bin/sh -c make`, taken apart; null when it starts with neither. */
function runOf(line: string): Pick<Instruction, 'text' | 'shell' | 'args'> | null {
  const counted = /^\|(\d{1,4}) /.exec(line)
  if (!counted) {
    const shell = shellAtStart.exec(line)
    return shell && { text: line.slice(shell[0].length).trim(), shell: shell[0].trim(), args: [] }
  }
  const rest = line.slice(counted[0].length)
  const shell = shellInside.exec(rest)
  const given = shell ? rest.slice(0, shell.index) : rest
  const args = splitPairs(given.trim()).slice(0, Number(counted[1]))
  if (!shell) return { text: '', shell: null, args }
  return { text: rest.slice(shell.index + shell[0].length).trim(), shell: shell[0].trim(), args }
}

const shellSource = String.raw`(?:(?:(?:\/[\w.\/-]{1,80}\/)?(?:ba|da|a|z|k)?sh(?: [-+]\w{1,20}| pipefail){0,6}? -\w{0,10}c)|(?:cmd(?:\.exe)? \/S \/C)|(?:(?:powershell|pwsh)(?:\.exe)?(?: -\w{1,30}| RemoteSigned| Bypass){0,6}? -[Cc]ommand(?: \$\w{1,40} ?= ?'\w{1,40}';)*))(?=\s|$)`
const shellAtStart = new RegExp(`^${shellSource}\\s*`, 'i')
const shellInside = new RegExp(`(?<=^|\\s)${shellSource}\\s*`, 'i')

/** Names that begin a pair; `spaced` are those of them with a blank in them. */
export interface Names {
  names: ReadonlySet<string>
  spaced: readonly string[]
}

/**
 * `A=1 B=two words C=3` as Docker's builders write it, without quotes: a new pair starts at a space before `NAME=`. Where
 * names are known only these begin a pair (the first always does): a value may hold ` x=y` of its own.
 */
export function splitPairs(text: string, known?: Names): string[] {
  const starts = new Set([0])
  for (const match of text.matchAll(/\s(?=([^\s='"]{1,256})=)/g)) {
    if (!known || known.names.has(match[1])) starts.add(match.index + 1)
  }
  for (const name of known?.spaced ?? []) {
    const at = ` ${text}`.indexOf(` ${name}=`)
    if (at < 0) continue
    starts.add(at)
    for (let inside = at + 1; inside < at + name.length; inside++) starts.delete(inside)
  }
  const sorted = [...starts].sort((a, b) => a - b)
  return sorted.map((start, at) => text.slice(start, sorted[at + 1]).trimEnd()).filter(pair => pair !== '')
}

/**
 * A list in one of its spellings: `["a" "b"]` and `&{["a"]}` (Go's %q), `["a", "b"]` (JSON), `[/bin/sh -c]` (Go's %v).
 * null when the text is no list.
 */
export function parseList(text: string): string[] | null {
  const inner = /^(?:&\{)?\[([\s\S]*)\]\}?$/.exec(text.trim())?.[1].trim()
  if (inner === undefined) return null
  if (inner === '') return []
  if (!inner.startsWith('"')) return inner.split(/[\s]+/)
  const items: string[] = []
  const rest = inner.replace(quoted, (_, content: string) => {
    items.push(unquoteGo(content))
    return ''
  })
  return /^[\s,]*$/.test(rest) ? items : null
}

/** A string in double quotes with Go's or JSON's escapes. */
export const quoted = /"((?:[^"\\]|\\[\s\S])*)"/g

/** The content of a Go string literal: what stands between its quotes, escapes read. */
export function unquoteGo(content: string): string {
  return content.replace(
    /\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|([0-7]{3})|([\s\S]))/gi,
    (_, x, u, U, octal, one) => {
      if (one !== undefined) return plainEscapes[one] ?? one
      const point = octal ? Number.parseInt(octal, 8) : Number.parseInt(x ?? u ?? U, 16)
      return point <= 0x10ffff ? String.fromCodePoint(point) : '\ufffd'
    },
  )
}

const plainEscapes: Record<string, string> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }
