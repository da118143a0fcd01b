/** What a step did, told in sentences: what it adds, what it stores again and why, what it deletes, what of it is lost. */
import { formatBytes, formatCount } from '../../base/sizes.ts'
import type { Reason } from '../../layer/changes.ts'
import { Kind } from '../../layer/entry.ts'
import type { Stack } from '../../layer/stack.ts'
import type { Scene } from './scene.ts'
import type { Sliced } from './slices.ts'

export interface StoryWorld {
  /** The number of the step that made a layer. */
  stepOf(layer: number): number
  /** Bytes that nobody has read to compare contents, because they are too many; 0: they are being read. */
  uncompared: number
}

/** The sentences for a scene of one layer, most telling first. */
export function* stepStory(scene: Scene, { stepOf, uncompared }: StoryWorld): Sliced<string[]> {
  if (!scene.changes || scene.from !== scene.to) return []
  const tally = yield* tallyOf(scene)
  const told = [
    ...again(tally, stepOf),
    ...tally.groups.filter(group => group.kind === 'rewritten').map(group => rewritten(group, stepOf)),
    ...removed(tally, stepOf),
    ...added(tally),
    ...aside(tally, uncompared),
  ]
  const lost = lostLater(scene.stack, scene.to, stepOf)
  if (lost) told.push(lost)
  return told.length > 0 ? told : ['Changes nothing in the file system.']
}

interface Group {
  kind: 'metadata' | 'same' | 'rewritten' | 'removed'
  reasons: string
  files: number
  bytes: number
  /** Layers that the files come from, with how many do. */
  sources: Map<number, number>
}

interface Tally {
  groups: Group[]
  addedFiles: number
  addedBytes: number
  addedDirs: number
  addedOther: number
  /** Directories and links that changed, by reason. */
  other: Map<string, number>
  unknown: number
}

function* tallyOf(scene: Scene): Sliced<Tally> {
  const { stack } = scene
  const set = scene.changes!
  const groups = new Map<string, Group>()
  const tally: Tally = {
    groups: [],
    addedFiles: 0,
    addedBytes: 0,
    addedDirs: 0,
    addedOther: 0,
    other: new Map(),
    unknown: set.unknown.length,
  }
  const unknown = new Set(set.unknown.map(pair => pair.node))
  for (const [at, node] of set.nodes.entries()) {
    if ((at & 1023) === 1023) yield
    const letter = set.letter(node)
    const ref = scene.ref(node)
    const kind = stack.kindOf(ref)
    const isFile = kind === Kind.file
    if (letter === 'A') {
      if (isFile) tally.addedFiles++
      else if (kind === Kind.dir) tally.addedDirs++
      else tally.addedOther++
      if (isFile) tally.addedBytes += stack.sizeOf(ref)
    } else if (letter === 'D') {
      if (isFile) count(groups, 'removed', '', stack.layerOf(set.before(node)), stack.sizeOf(ref))
    } else if (isFile && !unknown.has(node)) {
      const reasons = set.reasons(node)
      const content = reasons.includes('content') || reasons.includes('type')
      const why = content ? '' : reasonWords(reasons)
      const before = set.before(node)
      const from = before < 0 ? scene.to : stack.layerOf(before)
      const what = content ? 'rewritten' : why === '' ? 'same' : 'metadata'
      count(groups, what, why, from, stack.sizeOf(what === 'rewritten' && before >= 0 ? before : ref))
    } else if (!isFile) {
      const what = `${reasonWords(set.reasons(node))}|${kind === Kind.dir ? 'dir' : 'link'}`
      tally.other.set(what, (tally.other.get(what) ?? 0) + 1)
    }
  }
  tally.groups = [...groups.values()].sort((a, b) => b.bytes - a.bytes)
  return tally
}

function count(groups: Map<string, Group>, kind: Group['kind'], reasons: string, layer: number, bytes: number): void {
  const key = `${kind} ${reasons}`
  const group = groups.get(key) ?? { kind, reasons, files: 0, bytes: 0, sources: new Map() }
  group.files++
  group.bytes += bytes
  group.sources.set(layer, (group.sources.get(layer) ?? 0) + 1)
  groups.set(key, group)
}

const words: Partial<Record<Reason, string>> = {
  mode: 'mode',
  owner: 'owner',
  xattr: 'extended attributes',
  link: 'target',
  device: 'device number',
  type: 'type',
  time: 'time',
}

/** `owner and mode`; the time is named only where it is all. */
function reasonWords(reasons: readonly Reason[]): string {
  const telling = reasons.filter(reason => reason !== 'time' && reason !== 'content')
  const named = telling.length > 0 ? telling : reasons.filter(reason => reason === 'time')
  return list(named.map(reason => words[reason] ?? reason))
}

function again(tally: Tally, stepOf: (layer: number) => number): string[] {
  return tally.groups.flatMap(group => {
    if (group.kind === 'metadata') {
      const of = `${files(group.files)} of ${sources(group, stepOf)}`
      return [`Stores ${formatBytes(group.bytes)} again to change the ${group.reasons} of ${of}.`]
    }
    if (group.kind !== 'same') return []
    return [`Stores ${formatBytes(group.bytes)} again: ${files(group.files)} of ${sources(group, stepOf)}, unchanged.`]
  })
}

function rewritten(group: Group, stepOf: (layer: number) => number): string {
  const stay = group.bytes > 0 ? `: the old ${formatBytes(group.bytes)} stay in the image` : ''
  return `Overwrites ${files(group.files)} of ${sources(group, stepOf)}${stay}.`
}

function removed(tally: Tally, stepOf: (layer: number) => number): string[] {
  return tally.groups
    .filter(group => group.kind === 'removed')
    .map(group => {
      const stay =
        group.bytes > 0 ? `: ${group.files === 1 ? 'its' : 'their'} ${formatBytes(group.bytes)} stay in the image` : ''
      return `Deletes ${files(group.files)} of ${sources(group, stepOf)}${stay}.`
    })
}

function added(tally: Tally): string[] {
  if (tally.addedFiles > 0) {
    const inside = tally.addedDirs > 0 ? ` in ${plural(tally.addedDirs, 'new directory', 'new directories')}` : ''
    return [`Adds ${files(tally.addedFiles)}${inside}, ${formatBytes(tally.addedBytes)}.`]
  }
  const parts = [
    ...(tally.addedDirs > 0 ? [plural(tally.addedDirs, 'directory', 'directories')] : []),
    ...(tally.addedOther > 0 ? [plural(tally.addedOther, 'link or special file', 'links and special files')] : []),
  ]
  return parts.length > 0 ? [`Adds ${list(parts)}.`] : []
}

/** What changed without costing bytes. A directory's time alone says only that something in it changed. */
function aside(tally: Tally, uncompared: number): string[] {
  const parts: string[] = []
  for (const [what, many] of tally.other) {
    const [why, kind] = what.split('|')
    if (why === '' || (why === 'time' && kind === 'dir')) continue
    parts.push(
      `the ${why} of ${kind === 'dir' ? plural(many, 'directory', 'directories') : plural(many, 'link', 'links')}`,
    )
  }
  const told = parts.length > 0 ? [`Changes ${list(parts)}.`] : []
  if (tally.unknown > 0 && uncompared === 0) told.push(`Comparing the content of ${files(tally.unknown)} …`)
  if (tally.unknown > 0 && uncompared > 0) {
    const many = files(tally.unknown)
    told.push(`Whether the content of ${many} differs is not known: ${formatBytes(uncompared)} would have to be read.`)
  }
  return told
}

/** How much of what the layer stores a later layer (or itself) makes useless. */
function lostLater(stack: Stack, layer: number, stepOf: (layer: number) => number): string | null {
  const lost = new Map<number, number>()
  for (const row of stack.waste)
    if (row.storedIn === layer) lost.set(row.lostIn, (lost.get(row.lostIn) ?? 0) + row.bytes)
  if (lost.size === 0) return null
  const [[where, bytes], ...more] = [...lost].sort((a, b) => b[1] - a[1]) as [[number, number], ...[number, number][]]
  const all = [bytes, ...more.map(one => one[1])].reduce((sum, one) => sum + one, 0)
  const later = where === layer ? 'in the same step' : `in step ${stepOf(where)}`
  const rest = more.length === 0 ? '' : `, most of it ${later}`
  return `${formatBytes(all)} of it ${all === 1 ? 'is' : 'are'} lost again${rest || ` ${later}`}.`
}

function sources(group: Group, stepOf: (layer: number) => number): string {
  const steps = [...group.sources].sort((a, b) => b[1] - a[1]).map(([layer]) => stepOf(layer))
  if (steps.length === 1) return `step ${steps[0]}`
  if (steps.length <= 3) return `steps ${list(steps.sort((a, b) => a - b).map(String))}`
  return `${steps.length} steps`
}

function files(many: number): string {
  return plural(many, 'file', 'files')
}

function plural(many: number, one: string, several: string): string {
  return `${formatCount(many)} ${many === 1 ? one : several}`
}

function list(parts: readonly string[]): string {
  return parts.length < 2 ? (parts[0] ?? '') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`
}
