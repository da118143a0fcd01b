/** `strata save`: images as an archive that docker, podman and skopeo take. */
import { randomBytes } from 'node:crypto'
import { createWriteStream, lstatSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { Fault, isAbort, reasonOf } from '../../base/errors.ts'
import type { Work } from '../../base/progress.ts'
import { safe } from '../../base/text.ts'
import { nativeImages } from '../../engine/native/images.ts'
import { loadImage } from '../../engine/native/load.ts'
import { type Saved, saveDockerArchive, saveOciArchive, saveOciLayout } from '../../engine/native/save.ts'
import { parseReference } from '../../image/reference.ts'
import type { Places } from '../../runtime/places.ts'
import { makeStore, storeFolder, type Workplace, workplace } from '../../runtime/store/folder.ts'
import { digestsOf } from '../../runtime/store/garbage.ts'
import { findImage, keptName } from '../../runtime/store/names.ts'
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { showProgress } from '../progress.ts'
import { openOptions } from '../target.ts'
import { usage } from '../usage.ts'
import { ownStore } from './own.ts'

const formats = { 'docker-archive': saveDockerArchive, 'oci-archive': saveOciArchive, oci: saveOciLayout }

export async function save(io: Io, names: string[], options: Options): Promise<number> {
  const places = ownStore('save', { context: options.context })
  const format = (options.format as string | undefined) ?? 'docker-archive'
  const output = options.output as string | undefined
  if (!(format in formats)) throw usage(`“${safe(format)}” is no format.`, 'Formats: docker-archive, oci-archive, oci.')
  if (output === undefined && format === 'oci') throw usage('A layout is a directory: say which one with -o.')
  if (output === undefined && io.out.terminal)
    throw usage('An archive does not go to a terminal.', 'Write -o FILE, or > FILE')
  makeStore(storeFolder(places))
  const place = await workplace(storeFolder(places))
  const progress = showProgress(io.err, 'Saving')
  try {
    const work = { signal: io.signal, onProgress: progress.report }
    const saved = merged(await inOrder(names, name => find(name, options, places, place, work)))
    const how = { ...work, place }
    if (format === 'oci') await saveOciLayout(saved, output!, how)
    else {
      const write = format === 'oci-archive' ? saveOciArchive : saveDockerArchive
      await intoFile(io, output, stream => write(saved, stream, how))
    }
    return 0
  } finally {
    progress.end()
    await place.leave()
  }
}

/** The image of the native store; one from elsewhere is taken into a store that lasts as long as this. */
async function find(text: string, options: Options, places: Places, place: Workplace, work: Work): Promise<Saved> {
  const reference = parseReference(text)
  if (reference.step !== null) throw usage('A step can not be saved, only a whole image.')
  const isName = reference.kind === 'name' || (reference.kind === 'engine' && reference.engine === 'native')
  const own = () => (isName ? findImage(nativeImages(places), reference.name) : null)
  const first = own()
  if (first) {
    await place.use(digestsOf(first.image))
    const found = own()
    if (found) return { image: found.image, places, names: found.name === null ? [] : [found.name] }
  }
  const { openImage } = await import('../../source/open.ts')
  const image = await openImage(text, { ...openOptions(options), ...work, needContent: true })
  try {
    const asked = reference.kind === 'engine' || reference.kind === 'name' ? [reference.name.text] : image.names
    const names = asked.flatMap(name => (/^[0-9a-f]{4,64}$|@/.test(name) ? [] : [keptName(name)]))
    const staging = { ...places, store: join(place.path, 'staging') }
    const { id } = await loadImage(image, names, { places: staging, ...work })
    return { image: nativeImages(staging).find(one => one.id === id)!, places: staging, names }
  } finally {
    await image.close()
  }
}

async function inOrder<T, R>(all: readonly T[], one: (of: T) => Promise<R>): Promise<R[]> {
  const done: R[] = []
  for (const of of all) done.push(await one(of))
  return done
}

/** One image under several names is one image. */
function merged(all: readonly Saved[]): Saved[] {
  const images = new Map<string, Saved>()
  for (const one of all) {
    const known = images.get(one.image.id)
    images.set(one.image.id, known ? { ...known, names: [...new Set([...known.names, ...one.names])] } : one)
  }
  return [...images.values()]
}

function standardOutput({ out }: Io): Writable {
  return new Writable({
    highWaterMark: 1 << 20,
    write: (chunk, _, done) => void out.writeBytes(chunk).then(() => done(), done),
  })
}

/** A file comes into being whole, in place of what was there; into anything else it is written as it comes. */
async function intoFile(io: Io, output: string | undefined, write: (to: Writable) => Promise<void>): Promise<void> {
  if (output === undefined || output === '-') return writeAll(standardOutput(io), write)
  const there = lstatSync(output, { throwIfNoEntry: false })
  const unfinished = there && !there.isFile() ? null : `${output}.${randomBytes(6).toString('hex')}`
  try {
    if (unfinished === null) return await writeAll(createWriteStream(output), write)
    await writeAll(createWriteStream(unfinished, { flags: 'wx', flush: true }), write)
    renameSync(unfinished, output)
  } catch (error) {
    if (unfinished !== null) rmSync(unfinished, { force: true })
    if (error instanceof Fault || isAbort(error)) throw error
    throw new Fault(`${safe(output)} can not be written: ${reasonOf(error)}.`, { cause: error })
  }
}

async function writeAll(to: Writable, write: (to: Writable) => Promise<void>): Promise<void> {
  await write(to)
  await finished(to.end())
}
