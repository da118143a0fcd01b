/** `strata tree`: the files as of a step, and what the step did to them. */
import { Buffer } from 'node:buffer'
import { pathBytes } from '../base/paths.ts'
import { formatBytes } from '../base/sizes.ts'
import { safeBytes } from '../base/text.ts'
import { type ChangeSet, changes } from '../layer/changes.ts'
import { Kind, kindNames, type Xattrs } from '../layer/entry.ts'
import type { Stack } from '../layer/stack.ts'
import { totals } from '../layer/totals.ts'
import { settleContents } from './analysis.ts'
import { writeJsonLines } from './json.ts'
import type { Io } from './output.ts'
import type { Options } from './program.ts'
import { resolvePath } from './resolve.ts'
import { type Column, writeTable } from './table.ts'
import { withAnalysis } from './target.ts'
import { jsonPath, octal, pathText, permissions, styleOf } from './text.ts'
import { changedRows, presentRows, type TreeRow } from './tree-rows.ts'

export async function tree(io: Io, [text, path = '/']: string[], options: Options): Promise<number> {
  return withAnalysis(io, { text, options, contents: true }, async (analysis, target) => {
    const { stack } = analysis
    const { own, top } = target
    if (own !== null) await settleContents(analysis, own, own, { signal: io.signal })
    const set = own === null ? null : changes(stack, own, own)
    const from = deletedBy(set, stack, path) ?? resolvePath(stack, target, path, true)
    const view = stack.view(top)
    const changed = set ? changedRows(stack, set, from) : []
    const rows = options.changes ? changed : presentRows(stack, set, view.current, from)
    if (options.json) await writeJsonLines(io.out, jsonRows(rows))
    else await writeTable(io.out, io.out.terminal ? shownColumns(totals(stack, view)) : exactColumns, rows)
    return 0
  })
}

/** The node of a path that the step deletes: it counts as being there. */
function deletedBy(set: ChangeSet | null, stack: Stack, path: string): number | null {
  const node = set ? stack.tree.find(pathBytes(path)) : -1
  return node > 0 && set!.letter(node) === 'D' ? node : null
}

function* jsonRows(rows: Iterable<TreeRow>): Generator<unknown> {
  for (const { path, kind, size, entry, change, reason } of rows) {
    yield {
      ...jsonPath(path),
      type: kindNames[kind],
      size,
      mode: octal(entry?.mode ?? 0o755),
      uid: entry?.uid ?? 0,
      gid: entry?.gid ?? 0,
      mtime: entry && (entry.nsec === 0 ? entry.mtime : entry.mtime + entry.nsec / 1e9),
      ...linkJson(entry?.link ?? null),
      xattrs: xattrsJson(entry?.xattrs ?? null),
      layer: entry?.layer ?? null,
      change,
      reason,
    }
  }
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

/** For a person: names indented, sizes rounded, directories with what is below them. */
function shownColumns(below: Float64Array): Column<TreeRow>[] {
  const size = ({ node, kind, size }: TreeRow) => {
    if (kind === Kind.dir) return formatBytes(below[node])
    return kind === Kind.file || kind === Kind.hardlink ? formatBytes(size) : ''
  }
  return [
    { title: '±', value: row => row.change, style: row => styleOf(row.change) },
    { title: 'PERMISSIONS', value: row => permissions(row.kind, row.entry?.mode ?? 0o755) },
    { title: 'OWNER', value: row => `${row.entry?.uid ?? 0}:${row.entry?.gid ?? 0}` },
    { title: 'SIZE', value: size, align: 'right' },
    { title: 'NAME', value: shownName },
  ]
}

function shownName({ path, depth, kind, entry, reason }: TreeRow): string {
  const short = path.subarray(path.lastIndexOf(0x2f) + 1)
  const name = depth === null ? pathText(path) : '  '.repeat(depth) + safeBytes(short)
  const link = entry?.link ? `${kind === Kind.hardlink ? ' = ' : ' -> '}${safeBytes(entry.link)}` : ''
  const why = reason === null ? '' : `  (${reason.replaceAll(',', ', ')})`
  return `${name}${kind === Kind.dir ? '/' : ''}${link}${why}`
}

const exactColumns: Column<TreeRow>[] = [
  { title: 'CHANGE', value: row => row.change },
  { title: 'TYPE', value: row => kindNames[row.kind] },
  { title: 'MODE', value: row => octal(row.entry?.mode ?? 0o755) },
  { title: 'UID', value: row => row.entry?.uid ?? 0 },
  { title: 'GID', value: row => row.entry?.gid ?? 0 },
  { title: 'SIZE', value: row => row.size },
  { title: 'MTIME', value: row => row.entry?.mtime ?? null },
  { title: 'LAYER', value: row => row.entry?.layer ?? null },
  { title: 'PATH', value: row => safeBytes(row.path) },
  { title: 'LINK', value: row => (row.entry?.link ? safeBytes(row.entry.link) : null) },
  { title: 'REASON', value: row => row.reason },
]
