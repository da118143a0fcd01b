/**
 * The Dockerfile that may have made an image, reconstructed from its history. What history does not know (names of
 * copied files in classic builds, the base's name, build stages) is said in comments. Harmless to show and to copy.
 */
import { safe } from '../base/text.ts'
import { copiedByDigest } from './command.ts'
import { configLines, instructionLines, quoteValue } from './dockerfile-lines.ts'
import { configAsOf, type ReadStep, readSteps } from './replay.ts'
import type { ImageConfig, RunConfig, Step } from './types.ts'

/** A line of the Dockerfile, and the step that it comes from; null for what no step says. */
export interface DockerfileLine {
  text: string
  step: number | null
}

/**
 * The text of the Dockerfile, lines ended by newlines. `base`, where it is known, is named in FROM and its steps are
 * left out.
 */
export function dockerfileOf(
  config: ImageConfig,
  steps: readonly Step[],
  base?: { name: string; steps: number },
): string {
  return `${dockerfileLines(config, steps, base)
    .map(line => line.text)
    .join('\n')}\n`
}

/** The same, line by line. */
export function dockerfileLines(
  config: ImageConfig,
  steps: readonly Step[],
  base?: { name: string; steps: number },
): DockerfileLine[] {
  const lines: DockerfileLine[] = []
  const say = (step: number | null, texts: readonly string[]) => {
    for (const text of texts) lines.push({ text, step })
  }
  say(null, ['# Reconstructed from the history of the image.', ...fromLines(config, steps, base)])
  const args = new Set<string>()
  const read = readSteps(config, steps)
  for (const step of steps.slice(base?.steps ?? 0)) {
    say(step.index, ['', ...stepLines(step, read[step.index - 1], config, args)])
  }
  const { differs } = configAsOf(config, steps, steps.length)
  if (differs.length > 0)
    say(null, ['', '# The config says more than the history:', ...toldOnlyByConfig(config.run, differs)])
  return squeeze(lines).map(({ text, step }) => ({ text: safe(text), step }))
}

function defaultShell(config: ImageConfig): string[] {
  return config.platform.os === 'windows' ? ['cmd', '/S', '/C'] : ['/bin/sh', '-c']
}

function fromLines(config: ImageConfig, steps: readonly Step[], base?: { name: string; steps: number }): string[] {
  if (base)
    return [`FROM ${oneLine(base.name)}`, ...(base.steps > 0 ? [`# Steps 1 to ${base.steps} are the base's own.`] : [])]
  const named = config.run.labels['org.opencontainers.image.base.name']
  const lines = ['# Its base is not recorded: the steps of the base are part of what follows.']
  if (named)
    lines[0] = `# Its label names ${oneLine(named)} as the base; the steps of the base are part of what follows.`
  if (steps.length === 0) lines.push('# It has no history.')
  return [...lines, 'FROM scratch', ...inheritedLines(config, steps)]
}

/** What was set before the first step, but for the PATH that every image has. */
function inheritedLines(config: ImageConfig, steps: readonly Step[]): string[] {
  const { run } = configAsOf(config, steps, 0)
  const env = run.env.filter(line => !line.startsWith('PATH='))
  const lines = configLines({ ...run, env })
  return lines.length === 0 ? [] : ['# Set in the config, by no step:', ...lines]
}

function stepLines(
  step: Step,
  { instruction, pairs, shell }: ReadStep,
  config: ImageConfig,
  args: Set<string>,
): string[] {
  const { keyword, text } = instruction
  if (step.createdBy === null || text + (keyword ?? '') === '') {
    const what = step.comment ? `: ${oneLine(step.comment)}` : ', the history does not say how'
    return [
      step.layer === null ? `# Step ${step.index}${what}` : `# Step ${step.index} made layer ${step.layer}${what}`,
    ]
  }
  if (keyword === null) return text.split('\n').map(line => `# ${line.trimEnd()}`)
  if (keyword === 'ADD' || keyword === 'COPY') return copyLines(keyword, text)
  if (keyword === 'ENV' || keyword === 'LABEL') {
    const words = pairs.map(([name, value]) => `${quoteName(name)}=${quoteValue(value)}`)
    return [`${keyword} ${words.join(' \\\n    ')}`].flatMap(line => line.split('\n'))
  }
  if (keyword === 'FROM') return [`# FROM ${oneLine(text)}`]
  const fresh = instruction.args.filter(arg => !args.has(arg))
  for (const arg of fresh) args.add(arg)
  return [
    ...fresh.map(arg => `ARG ${argText(arg)}`),
    ...instructionLines(instruction, shell ?? defaultShell(config), config.run),
  ]
}

function copyLines(keyword: string, text: string): string[] {
  const copied = copiedByDigest(text)
  if (!copied) return [`${keyword} ${oneLine(text)}`]
  const name = `${copied.kind}-${copied.digest.slice(0, 12)}`
  return ['# Its source is known by its digest only.', `${keyword} ${name} ${oneLine(copied.destination)}`]
}

function argText(arg: string): string {
  const at = arg.indexOf('=')
  return at < 0 ? quoteName(arg) : `${quoteName(arg.slice(0, at))}=${quoteValue(arg.slice(at + 1))}`
}

function quoteName(name: string): string {
  return /^[\w./-]+$/.test(name) ? name : quoteValue(name)
}

function toldOnlyByConfig(run: RunConfig, differs: readonly (keyof RunConfig)[]): string[] {
  const all = configLines(Object.assign({}, ...differs.map(field => ({ [field]: run[field] }))))
  return all.length > 0 ? all : [`# ${differs.join(', ')}: not set`]
}

function oneLine(text: string): string {
  return text.trim().replace(/[ \t\r\n]+/g, ' ')
}

/** Instructions of one line each stand together; a longer one has an empty line around it. */
function squeeze(lines: readonly DockerfileLine[]): DockerfileLine[] {
  const blocks: DockerfileLine[][] = [[]]
  for (const { text, step } of lines.flatMap(line => line.text.split('\n').map(text => ({ ...line, text })))) {
    if (text === '' && blocks.at(-1)!.length > 0) blocks.push([])
    else blocks.at(-1)!.push({ text, step })
  }
  return blocks.flatMap((block, at) => {
    const apart = at > 0 && (block.length > 1 || blocks[at - 1]!.length > 1)
    return [...(apart ? [{ text: '', step: null }] : []), ...block]
  })
}
