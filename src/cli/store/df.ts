/** `strata df`: how much room the native store takes, and how much of it nobody needs. */

import { formatBytes } from '../../base/sizes.ts'
import { safe } from '../../base/text.ts'
import { nativeImages } from '../../engine/native/images.ts'
import { shortDigest } from '../../image/digest.ts'
import { digestsOf, type Thing } from '../../runtime/store/garbage.ts'
import type { KeptImage } from '../../runtime/store/index.ts'
import { shownName } from '../../runtime/store/names.ts'
import { storeUsage } from '../../runtime/store/remove.ts'
import { writeJsonLines } from '../json.ts'
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { type Column, writeTable } from '../table.ts'
import { ownStore } from './own.ts'

interface Row {
  type: string
  total: number
  active: number | null
  bytes: number
  reclaimable: number
}

export async function df(io: Io, _: string[], options: Options): Promise<number> {
  const places = ownStore('df', options)
  const images = nativeImages(places)
  const { active, things, unused } = await storeUsage(places, images)
  const row = (type: string, kind: Thing['kind'], total: number, active: number | null): Row => {
    const of = (all: readonly Thing[]) => all.reduce((sum, one) => sum + (one.kind === kind ? one.bytes : 0), 0)
    return { type, total, active, bytes: of(things), reclaimable: of(unused) }
  }
  const layers = things.filter(one => one.kind === 'layer')
  const unusedLayers = unused.filter(one => one.kind === 'layer')
  const rows = [
    row('Images', 'blob', images.length, active),
    row('Unpacked layers', 'layer', layers.length, layers.length - unusedLayers.length),
  ]
  if (options.json) await writeJsonLines(io.out, rows)
  else await writeTable(io.out, columns, rows)
  if (options.verbose && !options.json) {
    await io.out.write('\n')
    await writeTable(io.out, imageColumns, imageRows(images, things))
  }
  return 0
}

const columns: Column<Row>[] = [
  { title: 'TYPE', value: row => row.type },
  { title: 'TOTAL', value: row => row.total, align: 'right' },
  { title: 'ACTIVE', value: row => row.active, align: 'right' },
  { title: 'SIZE', value: row => row.bytes, shown: row => formatBytes(row.bytes), align: 'right' },
  { title: 'RECLAIMABLE', value: row => row.reclaimable, shown: row => formatBytes(row.reclaimable), align: 'right' },
]

interface ImageRow {
  name: string
  id: string
  shared: number
  unique: number
}

/** What an image shares with others counts as shared in each of them. */
function imageRows(images: readonly KeptImage[], things: readonly Thing[]): ImageRow[] {
  const bytes = new Map(things.map(one => [one.digest, one.bytes]))
  const users = new Map<string, number>()
  for (const image of images) for (const one of new Set(digestsOf(image))) users.set(one, (users.get(one) ?? 0) + 1)
  return images.map(image => {
    const sum = (shared: boolean) =>
      [...new Set(digestsOf(image))].reduce(
        (all, one) => all + (users.get(one)! > 1 === shared ? (bytes.get(one) ?? 0) : 0),
        0,
      )
    const name = image.names.map(shownName).join(', ') || '<none>'
    return { name, id: image.id, shared: sum(true), unique: sum(false) }
  })
}

const imageColumns: Column<ImageRow>[] = [
  { title: 'IMAGE', value: row => safe(row.name) },
  { title: 'IMAGE ID', value: row => row.id, shown: row => shortDigest(row.id) },
  { title: 'SHARED', value: row => row.shared, shown: row => formatBytes(row.shared), align: 'right' },
  { title: 'UNIQUE', value: row => row.unique, shown: row => formatBytes(row.unique), align: 'right' },
]
