/** Packages that were installed in a container, by the books that their managers keep. Pure: whoever calls reads the files. */
import { shellLine } from '../base/shell-words.ts'
import type { LiveChange } from '../runtime/upper-watch.ts'

/** What a manager has done: the line that does it again, and which paths come with that. */
export interface Installed {
  lines: string[]
  /** Whether a path (one character a byte, no leading slash) is one of theirs. */
  owns(path: string): boolean
}

/** The content of an upper layer's file as text; null where it can not be had or is big. */
export type ReadText = (path: string) => Promise<string | null>

type Paths = ReadonlyMap<string, Pick<LiveChange, 'op'>>

/** Of dpkg, apk, pip and npm; what others have done is said, not repeated. */
export async function installedPackages(paths: Paths, read: ReadText): Promise<Installed> {
  const all = [await byDpkg(paths, read), await byApk(paths, read), await byPip(paths, read), await byNpm(paths, read)]
  const rpm = [...paths.keys()].some(path => /^(?:var\/lib|usr\/lib\/sysimage)\/rpm\//.test(path))
  const notes = rpm ? ['# rpm has installed or removed packages; which ones can not be told from files.'] : []
  return { lines: [...notes, ...all.flatMap(one => one.lines)], owns: path => all.some(one => one.owns(path)) }
}

const nothing: Installed = { lines: [], owns: () => false }

async function byDpkg(paths: Paths, read: ReadText): Promise<Installed> {
  const lists = /^var\/lib\/dpkg\/info\/([a-z0-9][a-z0-9+.-]*)(?::[a-z0-9-]+)?\.list$/
  const added: string[] = []
  const removed: string[] = []
  const files = new Set<string>()
  for (const [path, { op }] of paths) {
    const name = lists.exec(path)?.[1]
    if (name === undefined) continue
    if (op === 'D') removed.push(name)
    else {
      added.push(name)
      for (const file of ((await read(path)) ?? '').split('\n')) {
        files.add(file.slice(1))
        files.add(`usr${file}`)
      }
    }
  }
  if (added.length + removed.length === 0) return nothing
  const books =
    /^(?:var\/lib\/(?:dpkg|apt)|var\/cache\/(?:apt|debconf|ldconfig)|var\/log\/(?:apt|dpkg\.log)|etc\/ld\.so\.cache)(?:\/|$)/
  return {
    lines: [
      ...(added.length > 0
        ? [
            'RUN apt-get update \\',
            ` && apt-get install -y --no-install-recommends ${[...new Set(added)].sort().join(' ')} \\`,
            ' && rm -rf /var/lib/apt/lists/*',
          ]
        : []),
      ...(removed.length > 0 ? [`RUN apt-get purge -y ${[...new Set(removed)].sort().join(' ')}`] : []),
    ],
    owns: path => files.has(path) || books.test(path) || /^var\/log\/(?:alternatives|bootstrap)\.log$/.test(path),
  }
}

/** The list of what was asked for is whole: adding what is there already does nothing. */
async function byApk(paths: Paths, read: ReadText): Promise<Installed> {
  const database = ['lib/apk/db/installed', 'usr/lib/apk/db/installed'].find(path => paths.has(path))
  if (!database) return nothing
  const world = ((await read('etc/apk/world')) ?? '')
    .split(/\s+/)
    .filter(word => /^[a-zA-Z0-9][\w@.+~<>=-]*$/.test(word))
  const files = new Set<string>()
  let folder = ''
  for (const line of ((await read(database)) ?? '').split('\n')) {
    if (line.startsWith('F:')) folder = line.slice(2)
    else if (line.startsWith('R:')) files.add(`${folder}/${line.slice(2)}`)
  }
  const books = /^(?:(?:usr\/)?lib\/apk|var\/cache\/apk|etc\/apk\/world$|var\/log\/apk\.log$)/
  return {
    lines:
      world.length > 0 ? [`RUN apk add --no-cache ${shellLine(world)}`] : ['# apk has installed or removed packages.'],
    owns: path => (paths.get(path)?.op === 'A' && files.has(path)) || books.test(path),
  }
}

async function byPip(paths: Paths, read: ReadText): Promise<Installed> {
  const record = /^(.*\/(?:site|dist)-packages)\/([\w.]+)-([\w.+!]+)\.dist-info\/RECORD$/
  const wanted: string[] = []
  const files = new Set<string>()
  for (const [path, { op }] of paths) {
    const found = record.exec(path)
    if (!found || op !== 'A') continue
    const [, folder, name, version] = found
    wanted.push(`${name}==${version}`)
    for (const line of ((await read(path)) ?? '').split('\n')) {
      const file = line.split(',', 1)[0]!
      if (file !== '') files.add(lexical(`${folder}/${file}`))
    }
  }
  if (wanted.length === 0) return nothing
  return {
    lines: [`RUN pip install --no-cache-dir ${wanted.sort().join(' ')}`],
    owns: path => files.has(path) || /\/(?:site|dist)-packages\/.*__pycache__(?:\/|$)/.test(path),
  }
}

async function byNpm(paths: Paths, read: ReadText): Promise<Installed> {
  const manifest = /^((?:.*\/)?lib\/node_modules\/((?:@[\w.-]+\/)?[\w.-]+))\/package\.json$/
  const wanted: string[] = []
  const folders: string[] = []
  for (const [path, { op }] of paths) {
    const found = manifest.exec(path)
    if (!found || op !== 'A') continue
    const version = /"version"\s*:\s*"([\w.+-]+)"/.exec((await read(path)) ?? '')?.[1]
    wanted.push(version ? `${found[2]}@${version}` : found[2]!)
    folders.push(`${found[1]}/`)
  }
  if (wanted.length === 0) return nothing
  return {
    lines: [`RUN npm install -g ${wanted.sort().join(' ')}`],
    owns: path => folders.some(folder => `${path}/`.startsWith(folder)) || /^root\/\.npm(?:\/|$)/.test(path),
  }
}

/** `a/b/../c` is `a/c`. */
function lexical(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.' && part !== '') parts.push(part)
  }
  return parts.join('/')
}
