/** `strata images`: the images of the engines of this machine. */
import type { ImageListing, ImageRow } from '../actions/image-list.ts'
import { formatAge, formatBytes } from '../base/sizes.ts'
import { safe } from '../base/text.ts'
import { shortDigest } from '../image/digest.ts'
import { createLister } from './image-lister.ts'
import { writeJsonLines } from './json.ts'
import type { Io } from './output.ts'
import type { Options } from './program.ts'
import { surroundings } from './surroundings.ts'
import { type Column, writeTable } from './table.ts'

export async function images(io: Io, _: string[], options: Options): Promise<number> {
  const lister = createLister(surroundings(), {
    engine: options.engine as string | undefined,
    context: options.context as string | undefined,
  })
  let listing: ImageListing = { engines: [], rows: [], complete: false }
  for await (const state of lister.list(io.signal)) listing = state
  if (options.json) await writeJsonLines(io.out, listing.rows.map(rowJson))
  else await writeTable(io.out, columns, listing.rows)
  await io.out.flush()
  const down = listing.engines.filter(engine => engine.state === 'down')
  for (const { name, reason } of down) await io.err.write(`strata: ${safe(name)}: ${safe(reason ?? 'no answer')}\n`)
  if (listing.rows.length === 0 && options.engine === 'native') {
    await io.err.write('The native store is empty. strata load takes images in.\n')
  } else if (listing.engines.length === 0 && listing.rows.length === 0) {
    await io.err.write('No engine answers on this machine. strata doctor says why.\n')
    await io.err.write('An archive is opened with strata ./FILE, the built-in sample with strata sample.\n')
  }
  await io.err.flush()
  return down.length > 0 ? 1 : 0
}

function rowJson({ reference, repository, tag, engine, id, created, size, unique, containers }: ImageRow): unknown {
  const when = created === null ? null : new Date(created).toISOString()
  return { reference, repository, tag, engine, id, created: when, size, unique, containers }
}

const none = '<none>'

const columns: Column<ImageRow>[] = [
  { title: 'REPOSITORY', value: row => safe(row.repository ?? none) },
  { title: 'TAG', value: row => safe(row.tag ?? none) },
  { title: 'ENGINE', value: row => safe(row.engine) },
  { title: 'IMAGE ID', value: row => row.id, shown: row => shortDigest(row.id) },
  {
    title: 'CREATED',
    value: row => (row.created === null ? null : new Date(row.created).toISOString()),
    shown: row => (row.created === null ? '–' : formatAge(Date.now() - row.created)),
  },
  { title: 'SIZE', value: row => row.size, shown: row => formatBytes(row.size ?? Number.NaN), align: 'right' },
  { title: 'UNIQUE', value: row => row.unique, shown: row => formatBytes(row.unique ?? Number.NaN), align: 'right' },
]
