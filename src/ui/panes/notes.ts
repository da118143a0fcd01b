/** Why a row is marked, in the few words that stand behind its name. */
import { formatBytes, formatCount } from '../../base/sizes.ts'
import { safeBytes } from '../../base/text.ts'
import type { Reason } from '../../layer/changes.ts'
import { type Entry, Kind } from '../../layer/entry.ts'
import { IMPLIED } from '../../layer/stack.ts'
import type { LiveWorld } from '../explorer/live.ts'
import type { Owners } from '../explorer/owners.ts'
import { ownerName } from '../explorer/owners.ts'
import type { Scene } from '../explorer/scene.ts'
import { permissions } from './permissions.ts'

/** What a note needs to know besides the scene. */
export interface NoteWorld {
  owners: Owners
  /** The number of the step that made a layer. */
  stepOf(layer: number): number
  /** Of a container: what is said of the layer on top, which is alive. */
  live?: LiveWorld
}

/** `owner root → app`, `content 12 kB → 14 kB`, `(from step 5)`, `3 changed`; empty where there is nothing to say. */
export function noteOf(scene: Scene, node: number, world: NoteWorld, folded: boolean, grown = true): string {
  const letter = scene.letter(node)
  const live = world.live?.view.number === scene.to ? world.live : null
  if (live && letter !== 'D') {
    const writing = !scene.isDir(node) && live.rate(node) > 0 ? 'writing' : ''
    const told = letter === 'C' ? [liveNote(scene, node, world), live.note(node)] : []
    // What is changed says both sizes already.
    const growth = grown && (letter === 'A' || folded) ? growthNote(live.growth(node)) : ''
    const texts = [writing, growth, ...told, insideNote(scene, node, letter, folded)]
    return texts.filter(text => text !== '').join(', ')
  }
  if (letter === 'D') {
    const ref = scene.ref(node)
    return ref < 0 ? '(was implied)' : `(from step ${world.stepOf(scene.stack.layerOf(ref))})`
  }
  const inside = insideNote(scene, node, letter, folded)
  if (letter !== 'C') return inside
  return [changedNote(scene, node, world), inside].filter(text => text !== '').join(', ')
}

/** A directory's time says only that something in it came or went; a file of the same size was written to nevertheless. */
function liveNote(scene: Scene, node: number, world: NoteWorld): string {
  const reasons = scene.reasons(node)
  if (reasons.length !== 1 || reasons[0] !== 'time') return changedNote(scene, node, world)
  return scene.isDir(node) ? '' : 'written, same size'
}

/** `+300 kB` since it was opened. */
function growthNote(bytes: number): string {
  return bytes === 0 ? '' : `${bytes > 0 ? '+' : '-'}${formatBytes(Math.abs(bytes))}`
}

function insideNote(scene: Scene, node: number, letter: 'A' | 'C' | null, folded: boolean): string {
  const below = folded ? (scene.below?.[node] ?? 0) : 0
  return below === 0 ? '' : `${formatCount(below)} ${letter === 'A' ? '' : 'changed '}inside`
}

function changedNote(scene: Scene, node: number, world: NoteWorld): string {
  const set = scene.changes!
  const reasons = set.reasons(node)
  const before = set.before(node)
  const after = set.after(node)
  if (before === IMPLIED || after === IMPLIED) return reasons.filter(reason => reason !== 'time').join(', ')
  const { stack } = scene
  const old = stack.entry(before)
  const now = stack.entry(after)
  const parts = reasons.map(reason => reasonNote(reason, old, now, world))
  if (reasons.includes('content')) {
    const [from, to] = [stack.sizeOf(before), stack.sizeOf(after)]
    parts[reasons.indexOf('content')] = from === to ? 'content' : `content ${formatBytes(from)} → ${formatBytes(to)}`
  } else if (now.kind === Kind.file && !set.unknown.some(pair => pair.node === node)) {
    if (reasons.length === 0) return 'stored again, the same'
    if (reasons.length === 1 && reasons[0] === 'time') return 'stored again, only its time differs'
  }
  const telling = reasons.length > 1 ? parts.filter((_, at) => reasons[at] !== 'time') : parts
  return telling.join(', ')
}

function reasonNote(reason: Reason, old: Entry, now: Entry, world: NoteWorld): string {
  if (reason === 'owner') return `owner ${ownerText(old, now, world)} → ${ownerText(now, old, world)}`
  if (reason === 'mode') return `mode ${octal(old.mode)} → ${octal(now.mode)}`
  if (reason === 'link' && old.link) return `was → ${safeBytes(old.link)}`
  if (reason === 'type') return `was ${kindWords[old.kind]}`
  if (reason === 'xattr') return 'extended attributes'
  return reason
}

/** `app`, and with the group where that tells more: `app:staff`. */
function ownerText(entry: Entry, other: Entry, world: NoteWorld): string {
  const { users, groups } = world.owners
  const user = ownerName(users, entry.uid)
  const group = ownerName(groups, entry.gid)
  const own = (one: Entry) => ownerName(users, one.uid) === ownerName(groups, one.gid)
  return entry.gid === other.gid || (own(entry) && own(other)) ? user : `${user}:${group}`
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0')
}

const kindWords: Record<Kind, string> = {
  [Kind.file]: 'a file',
  [Kind.dir]: 'a directory',
  [Kind.symlink]: 'a link',
  [Kind.hardlink]: 'a file',
  [Kind.char]: 'a device',
  [Kind.block]: 'a device',
  [Kind.fifo]: 'a pipe',
  [Kind.whiteout]: 'a marker',
  [Kind.opaque]: 'a marker',
}

/** The columns that describe what stands at a reference: permissions, owner, time in UTC. */
export function describe(
  scene: Scene,
  node: number,
  owners: Owners,
): { entry: Entry | null; permissions: string; owner: string; time: string } {
  const ref = scene.ref(node)
  if (ref < 0) return { entry: null, permissions: 'drwxr-xr-x', owner: ownerName(owners.users, 0), time: '' }
  const named = scene.stack.entry(ref)
  const inode = scene.stack.inodeOf(ref)
  const entry = inode >= 0 && inode !== ref ? scene.stack.entry(inode) : named
  return {
    entry: named,
    permissions: permissions(entry.kind, entry.mode),
    owner: ownerName(owners.users, entry.uid),
    time: timeText(entry.mtime),
  }
}

/** Minutes are enough: `2024-03-01 12:00`. Empty for what no calendar holds. */
export function timeText(seconds: number): string {
  const date = new Date(seconds * 1000)
  if (Number.isNaN(date.getTime())) return ''
  const text = date.toISOString()
  return text.startsWith('+') || text.startsWith('-') ? text.slice(0, 7) : text.slice(0, 16).replace('T', ' ')
}
