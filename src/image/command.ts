/** A step's command on one line, harmless, as lists and breadcrumbs show it. */
import { safe } from '../base/text.ts'
import { formatHealthcheck, parseHealthcheck } from './healthcheck.ts'
import { parseInstruction } from './instruction.ts'
import { portsOf } from './replay-step.ts'

/** `RUN apt-get update && …`, `ENV NODE_VERSION=11.13`, `COPY . .`. Not cut to a width; at most some thousand characters. */
export function shortCommand(createdBy: string | null, comment: string | null = null): string {
  const { keyword, text } = parseInstruction(createdBy?.slice(0, longest) ?? null, comment)
  if (keyword === null) return oneLine(text || comment?.slice(0, longest) || 'no history')
  return oneLine(`${keyword} ${plainly(keyword, text)}`)
}

/** What the classic builder knows of an ADD or COPY: `file:139c… in /dest`. null for every other spelling. */
export function copiedByDigest(text: string): { kind: string; digest: string; destination: string } | null {
  const match = /^(?:--\S+ )*(file|dir|multi):([0-9a-f]{12,64}) in ([\s\S]*)$/.exec(text)
  return match && { kind: match[1], digest: match[2], destination: match[3].trim() }
}

const longest = 4096

function plainly(keyword: string, text: string): string {
  const copied = keyword === 'ADD' || keyword === 'COPY' ? copiedByDigest(text) : null
  if (copied) return `${copied.kind}:${copied.digest.slice(0, 12)} ${copied.destination}`
  if (keyword === 'EXPOSE') return portsOf(text, new Map()).join(' ')
  if (keyword === 'USER') return text.replace(/^\[(\S*)\]$/, '$1')
  const check = keyword === 'HEALTHCHECK' ? parseHealthcheck(text) : null
  return check ? formatHealthcheck(check) : text
}

function oneLine(text: string): string {
  return safe(text.trim().replace(/[ \t\r\n]+/g, ' '))
}
