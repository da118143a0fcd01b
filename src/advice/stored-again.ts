/** Files that a step stores again although their content is the same: `chown`, `chmod`, `touch`, a second COPY. */
import { formatBytes } from '../base/sizes.ts'
import { safe } from '../base/text.ts'
import { copiedByDigest } from '../image/command.ts'
import { differences } from '../layer/changes.ts'
import { Kind } from '../layer/entry.ts'
import type { LayerIndex } from '../layer/layer-index.ts'
import type { Stack } from '../layer/stack.ts'
import type { Advice } from './advise.ts'
import { type Context, filesText, instructionOf, Sum, stepName, stepsOfLayers, stepWords } from './context.ts'

type What = 'chown' | 'chmod' | 'stored-again'

/** The advice, and by reference which inodes were lost because of it: `lost later` need not tell of them again. */
export function storedAgainAdvice(context: Context): { advice: Advice[]; explained: Uint8Array } {
  const { layers } = context.stack
  const explained = new Uint8Array(layers.reduce((sum, layer) => sum + layer.entries, 0))
  const advice: Advice[] = []
  for (let layer = 1; layer < layers.length; layer++) {
    for (const [what, { again, from, example }] of sumsOf(context, layer, explained)) {
      advice.push({
        rule: what,
        title: titleOf(context, what, layer, again, from),
        bytes: again.bytes,
        layers: [layer],
        fix: fixOf(context, what, layer, from.mainLayer(), example),
        steps: stepsOfLayers(context, [layer]),
        paths: again.paths(context),
        files: again.files,
      })
    }
  }
  return { advice, explained }
}

interface Found {
  /** The files as the layer stores them. */
  again: Sum
  /** The same files by the layers that stored them first. */
  from: Sum
  /** The reference of one of them as it is now. */
  example: number
}

function sumsOf(context: Context, layer: number, explained: Uint8Array): Map<What, Found> {
  const { stack } = context
  const { nodes, before, after } = stack.deltas[layer]!
  const found = new Map<What, Found>()
  const seen = new Uint8Array(stack.layers[layer]!.entries)
  const first = stack.refOf(layer, 0)
  for (let i = 0; i < nodes.length; i++) {
    const now = inodeAt(context, after[i]!)
    if (now < first || seen[now - first] === 1) continue
    const old = inodeAt(context, before[i]!)
    if (old < 0 || old === now) continue
    const pair = {
      a: stack.layers[stack.layerOf(old)]!,
      i: stack.indexOf(old),
      b: stack.layers[layer]!,
      j: now - first,
    }
    const size = pair.b.size[pair.j]!
    if (size === 0 || !sameContent(stack, old, now, pair)) continue
    seen[pair.j] = 1
    explained[old] = 1
    const what = whatChanged(pair)
    if (!found.has(what)) found.set(what, { again: new Sum(), from: new Sum(), example: now })
    const sums = found.get(what)!
    sums.again.add(nodes[i]!, size, layer)
    sums.from.add(nodes[i]!, size, stack.layerOf(old))
  }
  return found
}

function inodeAt({ stack }: Context, ref: number): number {
  if (ref < 0) return -1
  const kind = stack.kindOf(ref)
  return kind === Kind.file ? ref : kind === Kind.hardlink ? stack.inodeOf(ref) : -1
}

/** Two entries: one in a lower layer's columns, one in an upper's. */
interface Pair {
  a: LayerIndex
  i: number
  b: LayerIndex
  j: number
}

/**
 * Where nothing else differs contents were compared (rule 12). Where owner, mode or an attribute does, size and time to
 * the nanosecond have to agree, as copy-up leaves them: such contents nobody reads, though a sum that is known counts.
 */
function sameContent(stack: Stack, old: number, now: number, { a, i, b, j }: Pair): boolean {
  if (a.size[i] !== b.size[j]) return false
  const sameTime = a.mtime[i] === b.mtime[j] && (a.nsec?.[i] ?? 0) === (b.nsec?.[j] ?? 0)
  const known = stack.sameContent(old, now)
  const others = differences(stack, old, now).reasons.filter(reason => reason !== 'content' && reason !== 'time')
  return others.length > 0 ? sameTime && known !== false : (known ?? sameTime)
}

function whatChanged({ a, i, b, j }: Pair): What {
  const [p, q] = [a.owner[i]! * 2, b.owner[j]! * 2]
  if (a.owners[p] !== b.owners[q] || a.owners[p + 1] !== b.owners[q + 1]) return 'chown'
  return a.mode[i] === b.mode[j] ? 'stored-again' : 'chmod'
}

function titleOf(context: Context, what: What, layer: number, again: Sum, from: Sum): string {
  const sources = from.layers().map(one => stepName(context, one))
  const where = sources.length > 3 ? `${sources.length} earlier steps` : sources.join(' and ')
  const why = { chown: 'to change their owner', chmod: 'to change their mode', 'stored-again': 'with the same content' }
  return `${capital(stepWords(context, layer))} stores ${formatBytes(again.bytes)} again ${why[what]}: ${filesText(again.files)} of ${where}.`
}

/** `COPY --chown=app:app . .` where the files came by COPY or ADD, else the command itself, one step earlier. */
function fixOf(context: Context, what: What, layer: number, source: number, example: number): string {
  const step = stepName(context, source)
  if (what === 'stored-again') {
    return `Store them once: leave them out of ${stepName(context, layer)}, or out of ${step}.`
  }
  const origin = instructionOf(context, source)
  const command = commandIn(instructionOf(context, layer).text, what)
  if (origin.keyword === 'COPY' || origin.keyword === 'ADD') {
    const flag =
      what === 'chown' ? `--chown=${ownerOf(context, command, example)}` : `--chmod=${modeOf(context, example)}`
    const copied = copiedByDigest(origin.text)
    const rest = copied ? `… ${copied.destination}` : origin.text.replace(new RegExp(`--${what}=\\S+ `), '')
    return safe(`In ${step}: ${origin.keyword} ${flag} ${rest.replace(/\s+/g, ' ')}`)
  }
  if (source < context.baseLayers) return `They come with the base image: ${what} only what has to be different.`
  return safe(`Append it to ${step}, which stores them first: && ${command ?? `${what} …`}`)
}

/** The `chown …` of a RUN, up to the next command. */
function commandIn(text: string, what: What): string | null {
  return new RegExp(`\\b${what}\\s[^&|;\\n]{1,200}`).exec(text)?.[0].trim() ?? null
}

function ownerOf({ stack }: Context, command: string | null, example: number): string {
  const named = /^chown\s+(?:-\S+\s+)*([\w.$:{}-]+)\s/.exec(`${command} `)?.[1]
  const { uid, gid } = stack.entry(example)
  return named && !named.startsWith('-') ? named : `${uid}:${gid}`
}

function modeOf({ stack }: Context, example: number): string {
  return stack.entry(example).mode.toString(8)
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
