/** Contents of single files from the directories that a store has unpacked layers to, instead of from compressed blobs. */
import { Fault } from '../base/errors.ts'
import { shortDigest } from '../image/digest.ts'
import { createPool } from './pool.ts'
import { hashWeight, readStoreFile, storeFileAt } from './store-body.ts'
import type { Image } from './types.ts'

/**
 * The same image; its files are read from `directories` (by layer, null where there is none) as long as they are what
 * the index says, and in the old way otherwise.
 */
export function withDirectories(image: Image, directories: readonly (string | null)[]): Image {
  const pool = createPool()
  const nameOf = (layer: number) => `layer ${layer} (${shortDigest(image.layers[layer]!.diffId)}) of ${image.reference}`
  return {
    ...image,
    async *readFile(layer, entry, options = {}) {
      const { start = 0, end = Number.MAX_SAFE_INTEGER, signal } = options
      const directory = directories[layer] ?? null
      let given = 0
      if (directory !== null) {
        const name = nameOf(layer)
        const file = storeFileAt(await image.indexLayer(layer, { signal }), entry, name)
        try {
          for await (const chunk of readStoreFile(directory, file, { name, start, end, signal })) {
            given += chunk.length
            yield chunk
          }
          return
        } catch (error) {
          if (!isOfFile(error)) throw error
        }
      }
      yield* image.readFile(layer, entry, { ...options, start: start + given, end })
    },
    async hashFiles(layer, entries, work = {}) {
      const directory = directories[layer] ?? null
      const index = await image.indexLayer(layer, work)
      const known = index.hashKind === 'crc32' && entries.every(entry => index.hashed![entry] === 1)
      if (directory === null || known) return image.hashFiles(layer, entries, work)
      const name = nameOf(layer)
      const files = Array.from(entries, entry => storeFileAt(index, entry, name))
      try {
        return await pool.run({ kind: 'store-hash', name, directory, files }, { ...work, weight: hashWeight(files) })
      } catch (error) {
        if (!isOfFile(error)) throw error
        return image.hashFiles(layer, entries, work)
      }
    },
    async close() {
      await pool.close()
      await image.close()
    },
  }
}

/** Whether it is the files that are not as they should be, and nobody has stopped the work. */
function isOfFile(error: unknown): boolean {
  return error instanceof Fault && error.exitCode !== 130
}
