/** `strata load`: images of an archive, or of an engine, into the native store. */
import process from 'node:process'
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import { loadImage } from '../../engine/native/load.ts'
import { shortDigest } from '../../image/digest.ts'
import { parseReference, type Reference } from '../../image/reference.ts'
import type { Digest } from '../../image/types.ts'
import { keptName, shownName } from '../../runtime/store/names.ts'
import { openImages } from '../../source/open.ts'
import type { Image } from '../../source/types.ts'
import { writeJsonLines } from '../json.ts'
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { showProgress } from '../progress.ts'
import { openOptions } from '../target.ts'
import { usage } from '../usage.ts'
import { ownStore } from './own.ts'

export async function load(io: Io, [written]: string[], options: Options): Promise<number> {
  const places = ownStore('load', {
    context: options.context,
    engine: written === undefined ? options.engine : undefined,
  })
  const text = referenceOf(written, options.input as string | undefined)
  const progress = showProgress(io.err, 'Loading')
  try {
    const work = { signal: io.signal, onProgress: progress.report }
    const opened = await openImages(text, {
      ...openOptions(options),
      verify: false,
      trust: false,
      ...work,
      needContent: true,
    })
    try {
      for (const image of opened.images) {
        const names = namesOf(image, parseReference(text))
        const { id, moved } = await loadImage(image, names, { places, ...work })
        progress.end()
        await tell(io, options, id, names, moved)
      }
      for (const fault of opened.faults) await io.err.write(`strata: not loaded: ${safe(fault.message)}\n`)
      await io.err.flush()
      return opened.faults.length > 0 ? 1 : 0
    } finally {
      await opened.close()
    }
  } finally {
    progress.end()
  }
}

/** docker's `-i FILE`, a reference of any kind, or standard input. */
function referenceOf(written: string | undefined, input: string | undefined): string {
  if (written !== undefined && input !== undefined) throw usage('strata load takes a reference or -i FILE, not both.')
  if (written !== undefined) {
    if (parseReference(written).step !== null) throw usage('A step can not be loaded, only a whole image.')
    return written
  }
  if (input !== undefined) return input === '-' || /^[./~]/.test(input) ? input : `./${input}`
  if (process.stdin.isTTY)
    throw usage('There is nothing to load: standard input is a terminal.', 'strata load -i FILE, or strata load REF')
  return '-'
}

/** The names that the image comes with, and the one that it was asked for by. What is no whole name is left out. */
function namesOf(image: Image, reference: Reference): string[] {
  const asked = (reference.kind === 'engine' || reference.kind === 'name') && reference.name.digest === null
  const written = asked && reference.name.repository !== null ? [reference.name.text] : []
  // An OCI layout may call an image by a tag alone, which says nothing of what it is.
  const own = asked ? [] : image.names.filter(name => /[:/]/.test(name))
  return [...new Set([...written, ...own].flatMap(fullNames))]
}

function fullNames(name: string): string[] {
  try {
    return [keptName(name)]
  } catch (error) {
    if (error instanceof Fault) return []
    throw error
  }
}

async function tell(
  io: Io,
  { json, quiet }: Options,
  id: Digest,
  names: string[],
  moved: { name: string; from: Digest }[],
): Promise<void> {
  const shown = names.map(shownName)
  if (json)
    return writeJsonLines(io.out, [
      { id, names: shown, moved: moved.map(one => ({ ...one, name: shownName(one.name) })) },
    ])
  for (const { name, from } of moved)
    await io.err.write(`${safe(shownName(name))} was ${shortDigest(from)} until now, which has this name no more.\n`)
  await io.err.flush()
  if (quiet) await io.out.write(`${id}\n`)
  else if (shown.length === 0) await io.out.write(`Loaded image ID: ${id}\n`)
  else for (const name of shown) await io.out.write(`Loaded image: ${safe(name)}\n`)
  await io.out.flush()
}
