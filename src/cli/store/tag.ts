/** `strata tag`: another name for an image of the native store. */
import { makeStore, storeFolder, workplace } from '../../runtime/store/folder.ts'
import { nameImage } from '../../runtime/store/images.ts'
import { changeImages } from '../../runtime/store/index.ts'
import { getImage, keptName } from '../../runtime/store/names.ts'
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { ownStore } from './own.ts'

export async function tag(_: Io, [source, target]: string[], options: Options): Promise<number> {
  const folder = storeFolder(ownStore('tag', options))
  const name = keptName(target.replace(/^strata:/, ''))
  makeStore(folder)
  const place = await workplace(folder)
  try {
    await changeImages(folder, place, images => nameImage(images, getImage(images, source).image.id, [name]))
    return 0
  } finally {
    await place.leave()
  }
}
