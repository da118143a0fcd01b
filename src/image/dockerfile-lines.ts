/** Single instructions as a Dockerfile has them. Nothing here is made harmless yet: the whole text is, at its end. */
import { formatHealthcheck, parseHealthcheck } from './healthcheck.ts'
import { type Instruction, parseList } from './instruction.ts'
import { portsOf, volumesOf } from './replay-step.ts'
import type { RunConfig } from './types.ts'

/** The lines of an instruction that is no ADD, COPY, ENV or LABEL. `shell` is the one that a plain RUN uses there. */
export function instructionLines(instruction: Instruction, shell: readonly string[], final: RunConfig): string[] {
  const { keyword, text } = instruction
  const list = parseList(text)
  const none = new Map<string, string>()
  switch (keyword) {
    case 'RUN':
      return runLines(instruction, shell)
    case 'CMD':
    case 'ENTRYPOINT':
    case 'SHELL':
      return [`${keyword} ${list ? jsonList(list) : flat(text)}`]
    case 'VOLUME':
      return [`VOLUME ${jsonList(volumesOf(text, none, final.volumes))}`]
    case 'EXPOSE':
      return [`EXPOSE ${portsOf(text, none).join(' ')}`]
    case 'USER':
    case 'STOPSIGNAL':
      return [`${keyword} ${flat(list?.length === 1 ? list[0] : text)}`]
    case 'HEALTHCHECK': {
      const check = parseHealthcheck(text)
      return [check ? `HEALTHCHECK ${formatHealthcheck(check)}` : `# HEALTHCHECK ${flat(text)}`]
    }
    default:
      return [`${keyword} ${flat(text)}`]
  }
}

/** The instructions that set what of a config is given. */
export function configLines(run: Partial<RunConfig>): string[] {
  const lines: string[] = []
  for (const line of run.env ?? []) {
    const at = line.indexOf('=')
    lines.push(`ENV ${line.slice(0, at)}=${quoteValue(line.slice(at + 1))}`)
  }
  for (const [name, value] of Object.entries(run.labels ?? {}))
    lines.push(`LABEL ${quoteValue(name)}=${quoteValue(value)}`)
  if (run.exposedPorts?.length) lines.push(`EXPOSE ${run.exposedPorts.join(' ')}`)
  if (run.volumes?.length) lines.push(`VOLUME ${jsonList(run.volumes)}`)
  if (run.shell) lines.push(`SHELL ${jsonList(run.shell)}`)
  if (run.user) lines.push(`USER ${run.user}`)
  if (run.workingDir) lines.push(`WORKDIR ${run.workingDir}`)
  if (run.stopSignal) lines.push(`STOPSIGNAL ${run.stopSignal}`)
  if (run.healthcheck) lines.push(`HEALTHCHECK ${formatHealthcheck(run.healthcheck)}`)
  for (const trigger of run.onBuild ?? []) lines.push(`ONBUILD ${trigger}`)
  if (run.entrypoint) lines.push(`ENTRYPOINT ${jsonList(run.entrypoint)}`)
  if (run.cmd) lines.push(`CMD ${jsonList(run.cmd)}`)
  return lines.map(flat)
}

/** A value as ENV, LABEL and ARG take it: bare where it can be, else in double quotes. */
export function quoteValue(value: string): string {
  return /^[\w.,:/@%+=~-]+$/.test(value) ? value : `"${value.replace(/["\\$]/g, '\\$&')}"`
}

function jsonList(list: readonly string[]): string {
  return `[${list.map(item => JSON.stringify(item)).join(', ')}]`
}

function runLines({ text, shell: used, keyword }: Instruction, shell: readonly string[]): string[] {
  const sameShell = used === null || used === shell.join(' ')
  if (!sameShell) return [`${keyword} ${jsonList([...used.split(' '), text])}`]
  if (text.includes('\n')) return heredoc(text)
  const list = used === null ? parseList(text) : null
  if (list) return [`RUN ${jsonList(list)}`]
  return splitCommands(text).map((part, at, all) => {
    const line = at === 0 ? `RUN ${part}` : `    && ${part}`
    return at < all.length - 1 ? `${line} \\` : line
  })
}

/** A command of several lines came from a here-document. */
function heredoc(text: string): string[] {
  const body = text.split('\n')
  let end = 'EOF'
  while (body.includes(end)) end += '_'
  return [`RUN <<${end}`, ...body, end]
}

/** The commands between `&&` that stand outside of quotes and parentheses; runs of blanks outside of quotes become one. */
function splitCommands(text: string): string[] {
  const parts = ['']
  let depth = 0
  for (const [piece] of text.matchAll(/'[^']*'|"(?:[^"\\]|\\[\s\S])*"|\\[\s\S]|\s+|&&|[\s\S]/g)) {
    if (piece === '(' || piece === '{') depth++
    else if (piece === ')' || piece === '}') depth--
    if (piece === '&&' && depth <= 0) parts.push('')
    else parts[parts.length - 1] += /^\s/.test(piece) ? ' ' : piece
  }
  return parts.map(part => part.trim())
}

function flat(text: string): string {
  return text.replace(/[ \t\r\n]+/g, ' ')
}
