/**
 * What a container has changed as lines of a Dockerfile. A proposal to be read, not a replay: packages become the line
 * that installs them, files are copied from the exported layer, and what can not be said stands in a comment.
 */
import { shellLine } from '../base/shell-words.ts'
import { Kind } from '../layer/entry.ts'
import type { LiveChange } from '../runtime/upper-watch.ts'
import { installedPackages, type ReadText } from './packages.ts'

export interface DockerfileOptions {
  container: string
  image: string
  /** Whether owners and reasons are known: an engine that is only asked tells neither. */
  watched: boolean
  read: ReadText
}

/** Where the files of the exported layer are unpacked, in the build's context. */
const FILES = 'files'
/** Names on one line of RUN. */
const A_LINE = 8

type Change = LiveChange & { text: string }

/** The lines, without line ends. A directory comes before all that is in it, and then what stands beside it. */
export async function asDockerfile(changes: Iterable<LiveChange>, options: DockerfileOptions): Promise<string[]> {
  const all: Change[] = [...changes]
    .filter(one => one.op !== '-')
    .map(one => ({ ...one, text: Buffer.from(one.path).toString('latin1') }))
    .sort((a, b) => inTree(a.text, b.text))
  const byPath = new Map(all.map(one => [one.text, one]))
  const packages = await installedPackages(byPath, options.read)
  const own = all.filter(one => !packages.owns(one.text))
  const odd = own.filter(one => !isSayable(one.path))
  const passing = own.filter(one => isSayable(one.path) && one.op !== 'D' && passes(one.text))
  const kept = own.filter(one => isSayable(one.path) && !(one.op !== 'D' && passes(one.text)))
  const copied = copies(kept, options.watched)
  const lines = [
    `# What ${oneLine(options.container)} has changed: ${all.length} paths. To be read before it is built.`,
    ...(copied.length > 0
      ? [
          `# The files: strata diff ${shellLine([options.container])} --export layer.tar`,
          `#            mkdir ${FILES} && tar -xf layer.tar -C ${FILES}`,
        ]
      : []),
    ...(options.watched ? [] : ['# The engine tells neither owners nor what about a path is different: look at both.']),
    `FROM ${oneLine(options.image)}`,
    ...packages.lines,
    ...run('rm -rf', removed(kept)),
    ...run('mkdir -p', emptyDirectories(kept)),
    ...copied,
    ...links(kept),
    ...(options.watched ? modesAndOwners(kept) : []),
    ...notes(kept, all.length - own.length),
  ]
  const left = passing.filter(one => one.kind !== Kind.dir)
  if (left.length > 0) lines.push('# Left out, for they look like logs, caches and what passes:', ...listed(left))
  if (odd.length > 0) lines.push('# Left out, for no Dockerfile can name them:', ...listed(odd))
  return lines
}

function inTree(a: string, b: string): number {
  const [x, y] = [a.replaceAll('/', '\0'), b.replaceAll('/', '\0')]
  return x < y ? -1 : x > y ? 1 : 0
}

/** What stands in the directory at a place of the list. */
function* within(changes: readonly Change[], at: number): Generator<Change> {
  const above = `${changes[at]!.text}/`
  for (let next = at + 1; changes[next]?.text.startsWith(above); next++) yield changes[next]!
}

/** What goes: also what is there as another kind of thing now. What lies below one that goes is not named. */
function removed(changes: readonly Change[]): string[] {
  const found: string[] = []
  for (const { op, reasons, text } of changes) {
    if (op !== 'D' && !reasons.includes('type')) continue
    const last = found.at(-1)
    if (last === undefined || !text.startsWith(`${last}/`)) found.push(text)
  }
  return found.map(absolute)
}

/** Those that no copied file brings along. */
function emptyDirectories(changes: readonly Change[]): string[] {
  const filled = (at: number) => within(changes, at).some(one => one.op !== 'D' && one.kind === Kind.file)
  return changes.flatMap((one, at) =>
    one.op === 'A' && one.kind === Kind.dir && !filled(at) ? [absolute(one.text)] : [],
  )
}

/** A directory that is new is copied whole where all that is in it has one owner. */
function copies(changes: readonly Change[], watched: boolean): string[] {
  const lines: string[] = []
  let whole: string | null = null
  for (const [at, one] of changes.entries()) {
    if (whole !== null && one.text.startsWith(whole)) continue
    whole = null
    if (one.op === 'D') continue
    if (one.kind === Kind.dir && one.op === 'A') {
      const below = [...within(changes, at)]
      const same = below.every(other => other.uid === one.uid && other.gid === one.gid)
      if (same && below.some(other => other.kind === Kind.file)) {
        whole = `${one.text}/`
        lines.push(copyLine(one, watched))
      }
    } else if (one.kind === Kind.file && !onlyMetadata(one)) lines.push(copyLine(one, watched))
  }
  return lines
}

function onlyMetadata({ op, reasons }: Change): boolean {
  return op === 'C' && reasons.length > 0 && reasons.every(reason => reason === 'mode' || reason === 'owner')
}

function copyLine({ text, uid, gid, kind }: Change, watched: boolean): string {
  const owner = watched && (uid !== 0 || gid !== 0) ? `--chown=${uid}:${gid} ` : ''
  const path = utf8(text)
  const tail = kind === Kind.dir ? '/' : ''
  const from = `${FILES}/${path}${tail}`.replace(/[*?[]/g, sign => `[${sign}]`).replaceAll('$', '\\$')
  const to = `/${path}${tail}`.replaceAll('$', '\\$')
  const plain = /^[\w./@%+=:,~-]+$/.test(`${from}${to}`)
  return plain ? `COPY ${owner}${from} ${to}` : `COPY ${owner}${JSON.stringify([from, to])}`
}

function links(changes: readonly Change[]): string[] {
  const known = changes.filter(one => one.op !== 'D' && one.kind === Kind.symlink && one.link && isSayable(one.link))
  return known.map(one => `RUN ${shellLine(['ln', '-sfn', Buffer.from(one.link!).toString(), absolute(one.text)])}`)
}

/** Of what is not copied whole with its mode and owner: directories, and files of which nothing else is different. */
function modesAndOwners(changes: readonly Change[]): string[] {
  const modes = new Map<string, string[]>()
  const owners = new Map<string, string[]>()
  const put = (map: Map<string, string[]>, key: string, text: string) =>
    map.set(key, [...(map.get(key) ?? []), absolute(text)])
  for (const one of changes) {
    if (one.op === 'D' || one.kind === Kind.symlink) continue
    const directory = one.kind === Kind.dir
    if (!directory && !onlyMetadata(one)) continue
    const fresh = directory && one.op === 'A'
    if (fresh ? one.mode !== 0o755 : one.reasons.includes('mode'))
      put(modes, one.mode.toString(8).padStart(4, '0'), one.text)
    if (fresh ? one.uid !== 0 || one.gid !== 0 : one.reasons.includes('owner'))
      put(owners, `${one.uid}:${one.gid}`, one.text)
  }
  // A change of owner takes setuid bits away: modes come last.
  return [
    ...[...owners].flatMap(([owner, paths]) => run(`chown ${owner}`, paths)),
    ...[...modes].flatMap(([mode, paths]) => run(`chmod ${mode}`, paths)),
  ]
}

function notes(changes: readonly Change[], taken: number): string[] {
  const lines: string[] = []
  if (taken > 0) lines.push(`# ${taken} paths come with the packages.`)
  for (const one of changes) {
    const path = absolute(one.text)
    if (one.op === 'D') continue
    if (one.kind === Kind.symlink && !(one.link && isSayable(one.link)))
      lines.push(`# ${path} is a link; where it leads is not known.`)
    if (one.kind === Kind.fifo || one.kind === Kind.char || one.kind === Kind.block)
      lines.push(`# ${path} is a pipe, a socket or a device: no Dockerfile can make it.`)
    if (one.reasons.includes('xattr')) lines.push(`# ${path} has other attributes (capabilities?): setcap makes them.`)
  }
  return lines
}

function run(command: string, paths: readonly string[]): string[] {
  if (paths.length === 0) return []
  const rows: string[] = []
  for (let at = 0; at < paths.length; at += A_LINE) rows.push(shellLine(paths.slice(at, at + A_LINE)))
  return rows.map((row, at) => `${at === 0 ? `RUN ${command} ` : '      '}${row}${at < rows.length - 1 ? ' \\' : ''}`)
}

function listed(changes: readonly Change[]): string[] {
  const most = 50
  const some = changes.slice(0, most).map(({ text, op }) => `#   ${op} ${oneLine(absolute(text))}`)
  return changes.length > most ? [...some, `#   and ${changes.length - most} more`] : some
}

/** Not what anybody wants in an image. */
function passes(text: string): boolean {
  return (
    /^(?:tmp|var\/tmp|run|var\/run|var\/log|var\/cache|root\/\.cache)\/./.test(text) ||
    /(?:^|\/)\.(?:bash|ash|python|node_repl)_history$/.test(text) ||
    /\.(?:pid|swp)$/.test(text)
  )
}

/** Text on one line: a Dockerfile has no way to write anything else. */
function isSayable(path: Uint8Array): boolean {
  const text = Buffer.from(path).toString()
  return Buffer.from(text).equals(path) && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\\]/u.test(text)
}

function utf8(text: string): string {
  return Buffer.from(text, 'latin1').toString()
}

function absolute(text: string): string {
  return `/${utf8(text)}`
}

function oneLine(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?')
}
