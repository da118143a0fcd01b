/**
 * Random small images for the judges (fast-check): layers that add, overwrite, chmod, delete, replace by another type,
 * link and mark opaque, with odd names. Within a layer everything is consistent (a path has one entry, what is above an
 * entry is a directory or not named at all): what a tar does to itself is for other tests.
 */
import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { type EntrySpec, entry, fill, tar } from './tar.ts'

/** A layer as a list of entries; fast-check shows it as such when a test fails. */
export class RandomLayer {
  readonly entries: readonly EntrySpec[]

  constructor(entries: readonly EntrySpec[]) {
    this.entries = entries
  }

  get tar(): Uint8Array {
    return tar(...this.entries.map(spec => entry({ ...spec, path: Buffer.from(spec.path as string, 'latin1') })))
  }

  /** Paths with an entry of their own, one character a byte. */
  get explicit(): string[] {
    return this.entries.map(spec => spec.path as string)
  }

  [fc.toStringMethod](): string {
    const lines = this.entries.map(({ path, type, body, mode = 0, uid = 0, link = '' }) => {
      const target = typeof link === 'string' ? link : Buffer.from(link).toString('latin1')
      return `${type} ${JSON.stringify(path)} ${mode.toString(8)} ${uid} ${body?.length ?? ''} ${target}`.trim()
    })
    return `\n  layer: ${lines.join(', ')}`
  }
}

export interface RandomOptions {
  /** Entries below a path that a lower layer may have as a symbolic link: sequential unpackers follow it. */
  symlinks: boolean
  /** Directories without an entry of their own: sequential unpackers make them as they like. */
  implied: boolean
}

const names = ['a', 'b', 'c', 'd', '-x', 'n\xff\xfe', 'sp ace', 'new\nline', '__proto__', '.wh', 'wh.a', '\xc3\xa9']

type Change =
  | { kind: 'file'; size: number; fill: string; mode: number; owner: number; mtime: number }
  | { kind: 'dir'; mode: number; owner: number }
  | { kind: 'symlink'; link: string }
  | { kind: 'hardlink' }
  | { kind: 'fifo' | 'char'; mode: number }
  | { kind: 'gone' }
  | { kind: 'opaque' }

/** Images of one to five layers. */
export function randomImage(options: RandomOptions): fc.Arbitrary<RandomLayer[]> {
  const step = fc.record({
    path: path(),
    change: change(options),
    implied: options.implied ? fc.boolean() : fc.constant(false),
  })
  const layer = fc.array(step, { minLength: 1, maxLength: 12 })
  return fc
    .array(fc.tuple(layer, fc.infiniteStream(fc.nat())), { minLength: 1, maxLength: 5 })
    .map(layers => layers.map(([steps, order]) => new RandomLayer(arrange(build(steps), order))))
}

function path(): fc.Arbitrary<string> {
  const name = fc.constantFrom(...names.slice(0, 4), ...names.slice(0, 4), ...names)
  return fc.array(name, { minLength: 1, maxLength: 3 }).map(parts => parts.join('/'))
}

function change(options: RandomOptions): fc.Arbitrary<Change> {
  const mode = fc.constantFrom(0o644, 0o755, 0o600, 0o4755, 0o1777, 0)
  const owner = fc.constantFrom(0, 0, 1000, 3_000_000_000)
  const file = fc.record({
    kind: fc.constant('file' as const),
    size: fc.constantFrom(0, 1, 10, 511, 512, 513, 2000),
    fill: fc.constantFrom('a', 'b'),
    mode,
    owner,
    mtime: fc.constantFrom(0, 1_700_000_000),
  })
  const symlink = fc.record({
    kind: fc.constant('symlink' as const),
    link: fc.constantFrom('a', '../b', 'a/b', '/', 'n\xff'),
  })
  return fc.oneof(
    { arbitrary: file, weight: 6 },
    { arbitrary: fc.record({ kind: fc.constant('dir' as const), mode, owner }), weight: 3 },
    { arbitrary: symlink, weight: options.symlinks ? 2 : 0 },
    { arbitrary: fc.constant({ kind: 'hardlink' as const }), weight: 2 },
    { arbitrary: fc.record({ kind: fc.constantFrom('fifo' as const, 'char' as const), mode }), weight: 1 },
    { arbitrary: fc.constant({ kind: 'gone' as const }), weight: 4 },
    { arbitrary: fc.constant({ kind: 'opaque' as const }), weight: 2 },
  )
}

/** One consistent layer: a step that does not fit to the earlier ones is left out. */
function build(steps: { path: string; change: Change; implied: boolean }[]): EntrySpec[] {
  const made = new Map<string, EntrySpec>()
  const folders = new Set<string>()
  for (const { path, change, implied } of steps) {
    const parents = parentsOf(path)
    if (parents.some(parent => made.has(parent) && made.get(parent)?.type !== 'dir')) continue
    const name = path.slice(path.lastIndexOf('/') + 1)
    const marker =
      change.kind === 'gone' ? `${path.slice(0, path.length - name.length)}.wh.${name}` : `${path}/.wh..wh..opq`
    if (change.kind === 'opaque' && made.has(path) && made.get(path)?.type !== 'dir') continue
    const at = change.kind === 'gone' || change.kind === 'opaque' ? marker : path
    if (made.has(at)) continue
    if (folders.has(path) && change.kind !== 'dir' && change.kind !== 'gone' && change.kind !== 'opaque') continue
    const spec = specOf(at, change, made)
    if (!spec) continue
    made.set(at, spec)
    for (const parent of change.kind === 'opaque' ? [path, ...parents] : parents) {
      folders.add(parent)
      if (!implied && !made.has(parent)) made.set(parent, { path: parent, type: 'dir', mode: 0o750, uid: 7, gid: 7 })
    }
  }
  return [...made.values()]
}

function specOf(path: string, change: Change, made: Map<string, EntrySpec>): EntrySpec | null {
  switch (change.kind) {
    case 'file': {
      const { size, mode, owner, mtime } = change
      return { path, type: 'file', body: fill(size, change.fill), mode, uid: owner, gid: owner, mtime }
    }
    case 'dir':
      return { path, type: 'dir', mode: change.mode, uid: change.owner, gid: change.owner }
    case 'symlink':
      return { path, type: 'symlink', link: Buffer.from(change.link, 'latin1'), mode: 0o777 }
    case 'hardlink': {
      const target = [...made.values()].find(spec => spec.type === 'file' && !isMarker(spec.path as string))
      return target ? { path, type: 'hardlink', link: Buffer.from(target.path as string, 'latin1') } : null
    }
    case 'fifo':
      return { path, type: 'fifo', mode: change.mode }
    case 'char':
      return { path, type: 'char', dev: [1, 3], mode: change.mode }
    default:
      return { path, type: 'file', body: new Uint8Array(0), mode: 0o644 }
  }
}

/** Any order, hard links after what they name and directories before what is in them where both are listed. */
function arrange(specs: EntrySpec[], order: Iterable<number>): EntrySpec[] {
  const numbers = order[Symbol.iterator]()
  const keyed = specs.map(spec => ({ spec, key: numbers.next().value as number }))
  const rank = (spec: EntrySpec) => (spec.type === 'dir' ? 0 : spec.type === 'hardlink' ? 2 : 1)
  const depth = (spec: EntrySpec) => (spec.type === 'dir' ? (spec.path as string).split('/').length : 0)
  keyed.sort((a, b) => rank(a.spec) - rank(b.spec) || depth(a.spec) - depth(b.spec) || a.key - b.key)
  return keyed.map(({ spec }) => spec)
}

function isMarker(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1)
  return name.startsWith('.wh.') && name !== '.wh.'
}

function parentsOf(path: string): string[] {
  const at = path.lastIndexOf('/')
  return at < 0 ? [] : [path.slice(0, at), ...parentsOf(path.slice(0, at))]
}
