/**
 * A Dockerfile as somebody wrote it: its instructions with the lines they stand on, in stages. What a parser of Docker's
 * own reads (docs.docker.com/reference/dockerfile): parser directives, comments, continued lines, here-documents.
 */
import type { Keyword } from './instruction.ts'

export interface WrittenInstruction {
  keyword: Keyword
  /** What follows the keyword, lines joined; of a here-document its body too. */
  text: string
  /** 1-based, both ends belong to it. Comments above it do not. */
  from: number
  to: number
  /** 0-based; -1 for an ARG before the first FROM. */
  stage: number
}

export interface Written {
  /** What to call the file: as the person named it. */
  name: string
  lines: string[]
  instructions: WrittenInstruction[]
}

/** More of a file is not read: no Dockerfile has so many characters or lines. */
const most = { characters: 4 << 20, lines: 50_000 }

/** Never fails: a line that is no instruction is passed over. */
export function readWritten(name: string, text: string): Written {
  const lines = text
    .slice(0, most.characters)
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .slice(0, most.lines)
  const continued = new RegExp(`${escapeOf(lines) === '`' ? '`' : '\\\\'}[ \\t]*$`)
  const instructions: WrittenInstruction[] = []
  let stage = -1
  for (let at = 0; at < lines.length; at++) {
    const word = /^\s*([A-Za-z]+)(?=\s|$)/.exec(lines[at])?.[1].toUpperCase()
    if (word === undefined || !keywords.has(word)) continue
    const from = at
    const joined = [lines[at]]
    while (continued.test(joined.at(-1)!) && at + 1 < lines.length) {
      joined[joined.length - 1] = joined.at(-1)!.replace(continued, '')
      do at++
      while (at + 1 < lines.length && /^\s*(#|$)/.test(lines[at]))
      if (/^\s*#/.test(lines[at])) break
      joined.push(lines[at])
    }
    for (const end of hereDocuments(word, joined.join(' '))) {
      while (++at < lines.length && lines[at].replace(end.tabs ? /^\t+/ : /^/, '') !== end.word) joined.push(lines[at])
    }
    if (word === 'FROM') stage++
    const whole = joined.join('\n').trim()
    const last = Math.min(at, lines.length - 1)
    instructions.push({
      keyword: word as Keyword,
      text: whole.slice(word.length).trim(),
      from: from + 1,
      to: last + 1,
      stage,
    })
  }
  return { name, lines, instructions }
}

/** `12`, `12-14`. */
export function linesOf({ from, to }: WrittenInstruction): string {
  return from === to ? `${from}` : `${from}-${to}`
}

export interface WrittenStage {
  /** Lower case; undefined when it has none. */
  name: string | undefined
  /** Its base as it is written: an image, `scratch`, or a stage. */
  base: string
  /** The stage that it is built from; -1 when that is an image. */
  parent: number
}

/** The stages of the file, in order. */
export function writtenStages({ instructions }: Written): WrittenStage[] {
  const stages: WrittenStage[] = []
  for (const { keyword, text } of instructions) {
    if (keyword !== 'FROM') continue
    const name = /\s+as\s+(\S+)\s*$/i.exec(text)?.[1].toLowerCase()
    const base = text.replace(/^(--\S+\s+)*/, '').split(/\s/)[0]
    stages.push({ name, base, parent: stageNamed(stages, base) })
  }
  return stages
}

/**
 * The instructions that a build of a stage goes through, in order: those of the stages that it is built from first. Without
 * a `target` it is the last stage. FROM lines are left out.
 */
export function writtenPath(written: Written, target?: string): WrittenInstruction[] {
  const stages = writtenStages(written)
  const path: WrittenInstruction[][] = []
  let stage = target === undefined ? stages.length - 1 : stageNamed(stages, target)
  while (stage >= 0) {
    path.unshift(written.instructions.filter(of => of.stage === stage && of.keyword !== 'FROM'))
    stage = stages[stage].parent
  }
  return path.flat()
}

/** By name, the last one of it, or by number; -1: none of these. */
function stageNamed(stages: readonly WrittenStage[], name: string): number {
  const at = stages.findLastIndex(one => one.name === name.toLowerCase())
  return at < 0 && /^\d+$/.test(name) && Number(name) < stages.length ? Number(name) : at
}

const keywords: ReadonlySet<string> = new Set<Keyword>([
  ...(['ADD', 'ARG', 'CMD', 'COPY', 'ENTRYPOINT', 'ENV', 'EXPOSE', 'FROM', 'HEALTHCHECK'] as const),
  ...(['LABEL', 'MAINTAINER', 'ONBUILD', 'RUN', 'SHELL', 'STOPSIGNAL', 'USER', 'VOLUME', 'WORKDIR'] as const),
])

/** The `# escape=` directive, which can only stand among the comments at the very top. */
function escapeOf(lines: readonly string[]): string {
  for (const line of lines) {
    const directive = /^\s*#\s*(\w+)\s*=\s*(\S+)/.exec(line)
    if (!directive) return '\\'
    if (directive[1].toLowerCase() === 'escape') return directive[2]
  }
  return '\\'
}

/** The here-documents that a line opens, in order. A shell's `<<<` is none. */
function hereDocuments(keyword: string, line: string): { word: string; tabs: boolean }[] {
  if (keyword !== 'RUN' && keyword !== 'COPY' && keyword !== 'ADD') return []
  return [...line.matchAll(/(?<!<)<<(-?)(["']?)([A-Za-z_][\w.-]*)\2(?!<)/g)].map(([, dash, , word]) => ({
    word,
    tabs: dash === '-',
  }))
}
