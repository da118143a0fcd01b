/** `strata cp`: out of a container and into it, by docker's rules for names. `-` is a tar on standard input or output. */
import { lstatSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import process from 'node:process'
import type { Readable } from 'node:stream'
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import type { Containers } from '../../engine/containers.ts'
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { usage } from '../usage.ts'
import { withEngines } from './engines.ts'
import { packPath, rooted } from './tar-in.ts'
import { unpackTo } from './tar-out.ts'

export async function cp(io: Io, [from, to]: string[], options: Options): Promise<number> {
  const [source, target] = [placeOf(from), placeOf(to)]
  if ((source === null) === (target === null))
    throw usage('One of the two has to be CONTAINER:PATH, and the other one not.', 'strata cp web:/etc/passwd .')
  return withEngines(io, options, async engines => {
    const { engine, id } = await engines.find((source ?? target)!.container)
    if (source) await out(io, engine.containers, id, source.path, to, options)
    else await into(io, engine.containers, id, from, target!.path, options)
    return 0
  })
}

/** `CONTAINER:PATH`; null for a path of this machine, which begins with a slash, a dot, or is `-`. */
function placeOf(text: string): { container: string; path: string } | null {
  const colon = text.indexOf(':')
  if (text === '-' || colon < 1 || /^[./]/.test(text)) return null
  const path = text.slice(colon + 1)
  return { container: text.slice(0, colon), path: path.startsWith('/') ? path : `/${path}` }
}

async function out(io: Io, containers: Containers, id: string, path: string, to: string, options: Options) {
  const wanted = options.followLink && !path.endsWith('/') ? await followed(containers, id, path) : path
  const tar = await containers.copyOut(id, wanted, { signal: io.signal })
  if (to === '-') {
    for await (const chunk of tar) await io.out.writeBytes(chunk)
    return
  }
  const there = statSync(to, { throwIfNoEntry: false })
  if (!there && !statSync(dirname(resolve(to)), { throwIfNoEntry: false })?.isDirectory())
    throw new Fault(`There is no directory ${safe(dirname(resolve(to)))}.`)
  const contents = /\/\.$/.test(path)
  const name = basename(path.replace(/\/+\.?$/, '')) || '.'
  // Into a directory that is there it goes by its own name, else it gets the new one.
  const root = there?.isDirectory() ? (contents ? realpathSync(to) : resolve(to, name)) : resolve(to)
  await unpackTo(tar, root, {
    owners: options.archive === true,
    intoFile: there?.isFile() === true && !to.endsWith('/'),
  })
}

/** What a link leads to is found by asking for what is behind it: `PATH/.` is a directory's own content. */
async function followed(containers: Containers, id: string, path: string): Promise<string> {
  return (await isDirectory(containers, id, path)) ? `${path}/.` : path
}

async function into(io: Io, containers: Containers, id: string, from: string, path: string, options: Options) {
  const { signal } = io
  const directory = await isDirectory(containers, id, path)
  if (from === '-') {
    if (!directory) throw new Fault(`${safe(path)} is no directory of the container: a tar is unpacked into one.`)
    return containers.copyIn(id, path, process.stdin, { signal })
  }
  const own = options.followLink
    ? statSync(from, { throwIfNoEntry: false })
    : lstatSync(from, { throwIfNoEntry: false })
  if (!own) throw new Fault(`There is no ${safe(from)}.`)
  const contents = /(^|\/)\.$/.test(from) && from !== '.'
  if (directory) {
    const name = contents ? '.' : basename(resolve(from))
    return containers.copyIn(id, path, rooted(packPath(from, options.followLink === true), name), { signal })
  }
  if (own.isDirectory() && (await exists(containers, id, path)))
    throw new Fault(`${safe(path)} of the container is a file, and ${safe(from)} is a directory.`)
  if (path.endsWith('/') && !own.isDirectory()) throw new Fault(`There is no directory ${safe(path)} in the container.`)
  const target = path.replace(/\/+$/, '')
  const tar = rooted(packPath(from, options.followLink === true), basename(target))
  await containers.copyIn(id, dirname(target), tar, { signal })
}

async function isDirectory(containers: Containers, id: string, path: string): Promise<boolean> {
  return exists(containers, id, `${path.replace(/\/+$/, '')}/.`)
}

/** Whether something can be copied from there: the first bytes tell, and no more are taken. */
async function exists(containers: Containers, id: string, path: string): Promise<boolean> {
  let tar: Readable | null = null
  try {
    tar = await containers.copyOut(id, path)
    for await (const _ of tar) return true
    return false
  } catch (error) {
    if (error instanceof Fault && error.exitCode !== 130) return false
    throw error
  } finally {
    tar?.destroy()
  }
}
