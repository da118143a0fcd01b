/** `strata tree`: the files as of a step, and what the step did to them. */
import { Buffer } from 'node:buffer'
import { formatBytes } from '../base/sizes.ts'
import { safeBytes } from '../base/text.ts'
import { type ChangeSet, changes } from '../layer/changes.ts'
import { Kind, kindNames, type Xattrs } from '../layer/entry.ts'
import { ABSENT, IMPLIED, type Stack } from '../layer/stack.ts'
import { totals } from '../layer/totals.ts'
import { settleContents } from './analysis.ts'
import { writeJsonLines } from './json.ts'
import type { Io } from './output.ts'
import type { Options } from './program.ts'
import { resolvePath } from './resolve.ts'
import { type Column, writeTable } from './table.ts'
import { withAnalysis } from './target.ts'
import { jsonPath, octal, pathText, permissions, styleOf } from './text.ts'
import { ancestry, walk } from './walk.ts'

/** One path: what is there, or what was there when the step deleted it. */
interface Row {
  node: number
  /** How far its name is indented; null: its whole path is shown. */
  depth: number | null
  /** What it shows: an entry reference or IMPLIED. */
  ref: number
}

export async function tree(io: Io, [text, path = '/']: string[], options: Options): Promise<number> {
  return withAnalysis(io, { text, options, contents: true }, async (analysis, target) => {
    const { stack } = analysis
    const { own, top } = target
    if (own !== null) await settleContents(analysis, own, own, { signal: io.signal })
    const set = own === null ? null : changes(stack, own, own)
    const from = startOf(stack, set, () => resolvePath(stack, target, path, true), path)
    const { current } = stack.view(top)
    const rows = options.changes ? changedRows(stack, set, from) : presentRows(stack, current, from)
    if (options.json) await writeJsonLines(io.out, jsonRows(stack, set, rows))
    else
      await writeTable(
        io.out,
        io.out.terminal ? shownColumns(stack, set, totals(stack, stack.view(top))) : exactColumns(stack, set),
        rows,
      )
    return 0
  })
}

/** Where to begin; a path that the step deletes counts as being there. */
function startOf(stack: Stack, set: ChangeSet | null, find: () => number, path: string): number {
  const node = set ? stack.tree.find(Buffer.from(path)) : -1
  return node > 0 && set!.letter(node) === 'D' ? node : find()
}

function* presentRows(stack: Stack, current: Int32Array, from: number): Generator<Row> {
  if (!isDirectory(stack, current[from])) yield { node: from, depth: null, ref: current[from] }
  for (const { node, depth } of walk(stack.tree, from, one => current[one] !== ABSENT)) {
    yield { node, depth, ref: current[node] }
  }
}

function* changedRows(stack: Stack, set: ChangeSet | null, from: number): Generator<Row> {
  if (!set) return
  const wanted = ancestry(stack.tree, set.nodes)
  const row = (node: number): Row => {
    const gone = set.letter(node) === 'D'
    return { node, depth: null, ref: gone ? set.before(node) : set.after(node) }
  }
  if (set.letter(from) !== null) yield row(from)
  for (const { node } of walk(stack.tree, from, one => wanted[one] === 1)) {
    if (set.letter(node) !== null) yield row(node)
  }
}

function isDirectory(stack: Stack, ref: number): boolean {
  return stack.kindOf(ref) === Kind.dir
}

function* jsonRows(stack: Stack, set: ChangeSet | null, rows: Iterable<Row>): Generator<unknown> {
  for (const { node, ref } of rows) {
    const path = jsonPath(stack.tree.path(node))
    const change = changeOf(set, node)
    if (ref === IMPLIED) yield { ...path, ...implied, ...change }
    else {
      const { kind, mode, uid, gid, mtime, nsec, link, xattrs, layer } = stack.entry(ref)
      yield {
        ...path,
        type: kindNames[kind],
        size: stack.sizeOf(ref),
        mode: octal(mode),
        uid,
        gid,
        mtime: nsec === 0 ? mtime : mtime + nsec / 1e9,
        ...linkJson(link),
        xattrs: xattrsJson(xattrs),
        layer,
        ...change,
      }
    }
  }
}

/** A directory that no layer lists, only paths in it. */
const implied = {
  type: 'dir',
  size: 0,
  mode: '0755',
  uid: 0,
  gid: 0,
  mtime: null,
  link: null,
  xattrs: null,
  layer: null,
}

function changeOf(set: ChangeSet | null, node: number): { change: string | null; reason: string | null } {
  const change = set?.letter(node) ?? null
  return { change, reason: (change === 'C' && set!.reasons(node).join(',')) || null }
}

function linkJson(link: Uint8Array | null): { link: string | null; linkBase64?: string } {
  if (link === null) return { link: null }
  const { path, pathBase64 } = jsonPath(link)
  return pathBase64 === undefined ? { link: path } : { link: path, linkBase64: pathBase64 }
}

/** Values are bytes: base64. */
function xattrsJson(xattrs: Xattrs | null): Record<string, string> | null {
  if (!xattrs || xattrs.size === 0) return null
  return Object.fromEntries([...xattrs].map(([name, value]) => [name, Buffer.from(value).toString('base64')]))
}

function shownColumns(stack: Stack, set: ChangeSet | null, below: Float64Array): Column<Row>[] {
  const entry = (ref: number) => (ref === IMPLIED ? null : stack.entry(ref))
  const mode = ({ ref }: Row) => permissions(stack.kindOf(ref), entry(ref)?.mode ?? 0o755)
  const owner = ({ ref }: Row) => `${entry(ref)?.uid ?? 0}:${entry(ref)?.gid ?? 0}`
  const size = ({ node, ref }: Row) =>
    isDirectory(stack, ref)
      ? formatBytes(below[node])
      : stack.kindOf(ref) === Kind.file || stack.kindOf(ref) === Kind.hardlink
        ? formatBytes(stack.sizeOf(ref))
        : ''
  return [
    {
      title: '±',
      value: row => set?.letter(row.node) ?? '',
      style: row => styleOf(set?.letter(row.node)),
    },
    { title: 'PERMISSIONS', value: mode },
    { title: 'OWNER', value: owner },
    { title: 'SIZE', value: size, align: 'right' },
    { title: 'NAME', value: row => shownName(stack, row) + why(set, row) },
  ]
}

function shownName(stack: Stack, { node, depth, ref }: Row): string {
  const name = depth === null ? pathText(stack.tree.path(node)) : '  '.repeat(depth) + safeBytes(stack.tree.name(node))
  if (isDirectory(stack, ref)) return `${name}/`
  const link = ref === IMPLIED ? null : stack.entry(ref).link
  if (!link) return name
  return stack.kindOf(ref) === Kind.hardlink ? `${name} = ${safeBytes(link)}` : `${name} -> ${safeBytes(link)}`
}

function why(set: ChangeSet | null, { node }: Row): string {
  const { reason } = changeOf(set, node)
  return reason ? `  (${reason.replaceAll(',', ', ')})` : ''
}

function exactColumns(stack: Stack, set: ChangeSet | null): Column<Row>[] {
  const entry = (ref: number) => (ref === IMPLIED ? null : stack.entry(ref))
  return [
    { title: 'CHANGE', value: row => set?.letter(row.node) ?? '' },
    { title: 'TYPE', value: row => kindNames[stack.kindOf(row.ref)] },
    { title: 'MODE', value: row => octal(entry(row.ref)?.mode ?? 0o755) },
    { title: 'UID', value: row => entry(row.ref)?.uid ?? 0 },
    { title: 'GID', value: row => entry(row.ref)?.gid ?? 0 },
    { title: 'SIZE', value: row => stack.sizeOf(row.ref) },
    { title: 'MTIME', value: row => entry(row.ref)?.mtime ?? null },
    { title: 'LAYER', value: row => entry(row.ref)?.layer ?? null },
    { title: 'PATH', value: row => safeBytes(stack.tree.path(row.node)) },
    { title: 'LINK', value: row => safeBytes(entry(row.ref)?.link ?? new Uint8Array(0)) },
    { title: 'REASON', value: row => changeOf(set, row.node).reason },
  ]
}
