/** An image as a stack knows it: entries of a layer that is alive are those of the index that lies in that stack. */
import type { Stack } from '../../layer/stack.ts'
import type { Image } from '../../source/types.ts'

/** For whoever keeps references while the live layer goes on: a file that is read stays the file that was chosen. */
export function pinnedTo(image: Image, stack: Stack): Image {
  const live = image.live?.number
  if (live === undefined) return image
  const of = stack.layers[live]
  return Object.assign(Object.create(image) as Image, {
    readFile: ((layer, entry, options) =>
      image.readFile(layer, entry, layer === live && of ? { ...options, of } : options)) as Image['readFile'],
  })
}
