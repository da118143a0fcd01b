/** Contents of single files from the directories that a store has unpacked layers to, instead of from compressed blobs. */
import { Fault } from '../base/errors.ts'
import { shortDigest } from '../image/digest.ts'
import { readStoreFile, storeFileAt } from './store-body.ts'
import type { Image } from './types.ts'

/**
 * The same image; its files are read from `directories` (by layer, null where there is none) as long as they are what
 * the index says, and in the old way otherwise.
 */
export function withDirectories(image: Image, directories: readonly (string | null)[]): Image {
  return {
    ...image,
    async *readFile(layer, entry, options = {}) {
      const { start = 0, end = Number.MAX_SAFE_INTEGER, signal } = options
      const directory = directories[layer] ?? null
      let given = 0
      if (directory !== null) {
        const index = await image.indexLayer(layer, { signal })
        const name = `layer ${layer} (${shortDigest(image.layers[layer]!.diffId)}) of ${image.reference}`
        const file = storeFileAt(index, entry, name)
        try {
          for await (const chunk of readStoreFile(directory, file, { name, start, end, signal })) {
            given += chunk.length
            yield chunk
          }
          return
        } catch (error) {
          if (!(error instanceof Fault) || error.exitCode === 130) throw error
        }
      }
      yield* image.readFile(layer, entry, { ...options, start: start + given, end })
    },
  }
}
