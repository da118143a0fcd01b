/** `strata cp`: out of a container and into it, by docker's rules for names. `-` is a tar on standard input or output. */
import { lstatSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import process from 'node:process'
import { pipeline, type Readable, Transform } from 'node:stream'
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
    const { containers } = engine
    const how = { signal: io.signal, followLink: options.followLink === true, archive: options.archive === true }
    if (source && to === '-') await tarOut(io, containers, id, source.path, how)
    else if (source) await copyOutTo(containers, id, source.path, to, how)
    else if (from === '-') await tarIn(containers, id, target!.path, how)
    else await copyInto(containers, id, from, target!.path, how)
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

export interface CopyOptions {
  signal?: AbortSignal | undefined
  /** What a link leads to, in place of the link. */
  followLink?: boolean
  /** Owners too. */
  archive?: boolean
  /** Bytes of the tar that have passed. */
  onBytes?: ((bytes: number) => void) | undefined
}

async function tarOut(io: Io, containers: Containers, id: string, path: string, how: CopyOptions): Promise<void> {
  const wanted = how.followLink && !path.endsWith('/') ? await followed(containers, id, path) : path
  for await (const chunk of await containers.copyOut(id, wanted, { signal: how.signal })) await io.out.writeBytes(chunk)
}

async function tarIn(containers: Containers, id: string, path: string, { signal }: CopyOptions): Promise<void> {
  if (!(await isDirectory(containers, id, path)))
    throw new Fault(`${safe(path)} is no directory of the container: a tar is unpacked into one.`)
  await containers.copyIn(id, path, process.stdin, { signal })
}

/** From a container to this machine: into a directory that is there by its own name, else as what is named. */
export async function copyOutTo(containers: Containers, id: string, path: string, to: string, how: CopyOptions) {
  const wanted = how.followLink && !path.endsWith('/') ? await followed(containers, id, path) : path
  const there = statSync(to, { throwIfNoEntry: false })
  if (!there && !statSync(dirname(resolve(to)), { throwIfNoEntry: false })?.isDirectory())
    throw new Fault(`There is no directory ${safe(dirname(resolve(to)))}.`)
  const tar = await containers.copyOut(id, wanted, { signal: how.signal })
  const contents = /\/\.$/.test(path)
  const name = basename(path.replace(/\/+\.?$/, '')) || '.'
  // Into a directory that is there it goes by its own name, else it gets the new one.
  const root = there?.isDirectory() ? (contents ? realpathSync(to) : resolve(to, name)) : resolve(to)
  await unpackTo(counted(tar, how), root, {
    owners: how.archive === true,
    intoFile: there?.isFile() === true && !to.endsWith('/'),
  })
}

function counted(tar: Readable, { onBytes }: CopyOptions): Readable {
  if (!onBytes) return tar
  let bytes = 0
  const counter = new Transform({
    transform(chunk: Uint8Array, _, done) {
      bytes += chunk.length
      onBytes(bytes)
      done(null, chunk)
    },
  })
  // What fails on the one side is seen on the other.
  return pipeline(tar, counter, () => {})
}

/** What a link leads to is found by asking for what is behind it: `PATH/.` is a directory's own content. */
async function followed(containers: Containers, id: string, path: string): Promise<string> {
  return (await isDirectory(containers, id, path)) ? `${path}/.` : path
}

/** From this machine into a container: into a directory that is there by its own name, else as what is named. */
export async function copyInto(containers: Containers, id: string, from: string, path: string, how: CopyOptions) {
  const { signal, followLink = false } = how
  const directory = await isDirectory(containers, id, path)
  const own = followLink ? statSync(from, { throwIfNoEntry: false }) : lstatSync(from, { throwIfNoEntry: false })
  if (!own) throw new Fault(`There is no ${safe(from)}.`)
  const contents = /(^|\/)\.$/.test(from) && from !== '.'
  const packed = (name: string) => counted(rooted(packPath(from, followLink), name), how)
  if (directory) return containers.copyIn(id, path, packed(contents ? '.' : basename(resolve(from))), { signal })
  if (own.isDirectory() && (await exists(containers, id, path)))
    throw new Fault(`${safe(path)} of the container is a file, and ${safe(from)} is a directory.`)
  if (path.endsWith('/') && !own.isDirectory()) throw new Fault(`There is no directory ${safe(path)} in the container.`)
  const target = path.replace(/\/+$/, '')
  await containers.copyIn(id, dirname(target), packed(basename(target)), { signal })
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
