/**
 * The images of the store and their names: one small file, read whole, and replaced by rename while the store is locked.
 * Whoever reads it without the lock sees the old one or the new one.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { Fault, reasonOf } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import { storeFault, syncFolder } from './blobs.ts'
import { lockStore, type StoreFolder, type Workplace } from './folder.ts'

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/)

const layer = z.object({
  /** Of the blob, and of the tar in it. Whoever unpacks or reads the tar compares the second one: a pull may not have. */
  digest,
  diffId: digest,
  bytes: z.number(),
  tarBytes: z.number(),
  mediaType: z.string(),
})

const image = z.object({
  /** Of the config. */
  id: digest,
  manifest: digest,
  mediaType: z.string(),
  /** In full: `docker.io/library/node:20`. */
  names: z.array(z.string()),
  /** What registries call it: `docker.io/library/node@sha256:…`, the digest of what its tag meant there. */
  digests: z.array(z.string()).optional(),
  /** Bottom first. */
  layers: z.array(layer),
  /** Seconds since 1970: when the image was made, as its config says, and when it came here. */
  created: z.number().nullable(),
  added: z.number(),
})

export type KeptLayer = z.infer<typeof layer>
export type KeptImage = z.infer<typeof image>

const index = z.object({ schema: z.literal('strata.store/1'), images: z.array(image) })

/** What is read at most: a hundred thousand images. */
const most = 64 << 20

/** The images, the oldest here first; none where there is no store. @throws Fault when the file is not what it should be. */
export function readImages({ images: path }: StoreFolder): KeptImage[] {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size === 0) return []
  try {
    if (size > most) throw new Fault(`it has ${size} bytes`)
    return index.parse(JSON.parse(readFileSync(path, 'utf8'))).images
  } catch (error) {
    const why = error instanceof z.ZodError || error instanceof SyntaxError ? 'it is damaged' : reasonOf(error)
    throw new Fault(`The list of images ${safe(path)} can not be read: ${why}.`, { cause: error })
  }
}

/** What comes of a change: the images as they are from now on (null: as they were), and what the one who changes wants to know. */
export interface Change<T> {
  images: KeptImage[] | null
  result: T
}

/** Changes the list while nobody else does. What `then` does happens before the store is open to others again. */
export async function changeImages<T>(
  folder: StoreFolder,
  place: Workplace,
  change: (images: KeptImage[]) => Change<T>,
  then?: (result: T, images: KeptImage[]) => void | Promise<void>,
): Promise<T> {
  const turn = await lockStore(folder)
  try {
    const before = readImages(folder)
    const { images, result } = change(before)
    if (images !== null) writeImages(folder, place, images)
    await then?.(result, images ?? before)
    return result
  } catch (error) {
    throw storeFault(folder, error)
  } finally {
    turn.release()
  }
}

function writeImages(folder: StoreFolder, { path }: Workplace, images: KeptImage[]): void {
  const unfinished = join(path, 'images.json')
  const fd = openSync(unfinished, 'w', 0o600)
  try {
    writeFileSync(fd, JSON.stringify({ schema: 'strata.store/1', images }))
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(unfinished, folder.images)
  syncFolder(folder.root)
}
