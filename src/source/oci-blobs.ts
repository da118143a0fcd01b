/** The blobs of an OCI layout: found by their digest, and compared with it where they are small enough to be read. */
import { createHash } from 'node:crypto'
import { Fault } from '../base/errors.ts'
import { formatBytes } from '../base/sizes.ts'
import type { Folder, StoredFile } from './folder.ts'
import { readStored } from './read-stored.ts'
import type { Descriptor } from './shapes.ts'

/** The blob of a well-formed digest, null when the layout does not have it. */
export function findBlob(folder: Folder, digest: string): StoredFile | null {
  return folder.file(`blobs/${digest.replace(':', '/')}`)
}

/**
 * The content of a small blob. @throws Fault when it is missing, too large, or is not what its descriptor says: a
 * manifest or config that was changed makes everything else that is shown a guess.
 */
export async function readBlob(folder: Folder, of: Descriptor, limit: number, what: string): Promise<Uint8Array> {
  const file = findBlob(folder, of.digest)
  const inline = of.data !== null && of.data.length <= limit * 2 ? Buffer.from(of.data, 'base64') : null
  if (file === null && inline === null) {
    throw folder.broken ?? new Fault(`${folder.name} does not have ${what}, the blob ${of.digest}.`)
  }
  const size = file === null ? inline!.length : file.size
  if (size !== of.size) {
    throw new Fault(
      `${what} of ${folder.name}, ${of.digest}, has ${formatBytes(size)} where its descriptor says ${formatBytes(of.size)} (${size} and ${of.size} bytes).`,
    )
  }
  const bytes = file === null ? inline! : await readStored(folder, file, limit, what)
  const algorithm = of.digest.slice(0, of.digest.indexOf(':'))
  const actual = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`
  if (actual !== of.digest) {
    throw new Fault(`${what} of ${folder.name} does not have its digest: it should be ${of.digest}, and is ${actual}.`)
  }
  return bytes
}
