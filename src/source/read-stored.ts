/** Whole small files of a folder: manifests, configs, indexes. */
import type * as z from 'zod'
import { Fault } from '../base/errors.ts'
import { formatBytes } from '../base/sizes.ts'
import type { Folder, StoredFile } from './folder.ts'
import { readJson } from './json.ts'
import { readInto } from './region.ts'

/** What the files that describe images may hold, bytes. containers/image and containerd draw the line at 4 MiB too. */
export const limits = { manifest: 4 << 20, config: 16 << 20 }

/** The content of a small file. @throws Fault when it is larger than `limit`, truncated, or not kept. */
export async function readStored(folder: Folder, file: StoredFile, limit: number, what: string): Promise<Uint8Array> {
  if (file.size > limit) {
    throw new Fault(
      `${what} of ${folder.name} has ${formatBytes(file.size)}; more than ${formatBytes(limit)} is not read.`,
    )
  }
  if (file.passed?.content) return file.passed.content
  if (file.region === null) throw new Fault(`${what} of ${folder.name} is no JSON.`)
  if (file.region.ready) await file.region.ready(file.size)
  const bytes = new Uint8Array(file.size)
  if (readInto(file.region, 0, bytes) < file.size)
    throw folder.broken ?? new Fault(`${what} of ${folder.name} is truncated.`)
  return bytes
}

/** A JSON file by its name, in the shape of the schema; null where there is no such file. */
export async function readFileJson<T>(
  folder: Folder,
  path: string,
  schema: z.ZodType<T>,
  limit = limits.manifest,
): Promise<T | null> {
  const file = folder.file(path)
  if (file === null) return null
  return readJson(await readStored(folder, file, limit, path), schema, `${path} of ${folder.name}`)
}
