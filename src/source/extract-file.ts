/** One extracted file on the disk: made new, never through a link, with holes where there is nothing but zeros. */
import { Buffer, isUtf8 } from 'node:buffer'
import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { open, rm } from 'node:fs/promises'

export interface FileMeta {
  size: number
  mode: number
  /** Seconds since 1970. */
  mtime: number
}

/** Writes the content into a file that must not be there yet. `report` is told of the bytes so far. */
export async function writeContent(
  place: Buffer,
  content: AsyncIterable<Uint8Array>,
  { size, mode, mtime }: FileMeta,
  report: (bytes: number) => void,
): Promise<void> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants
  const file = await open(place, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  try {
    let at = 0
    for await (const chunk of content) {
      if (!isZero(chunk)) await file.write(chunk, 0, chunk.length, at)
      at += chunk.length
      report(at)
    }
    await file.truncate(Math.max(at, size))
    await file.chmod(mode & 0o777)
    await file.utimes(mtime, mtime).catch(() => {})
  } finally {
    await file.close()
  }
}

/** Takes away a file that was only begun. */
export async function removePart(place: Buffer): Promise<void> {
  await rm(place, { force: true })
}

/** A named pipe, by the machine's own `mkfifo`; false where that does not work or can not be given the name. */
export function makeFifo(place: Buffer, mode: number): Promise<boolean> {
  if (!isUtf8(place)) return Promise.resolve(false)
  const args = ['-m', (mode & 0o777).toString(8), '--', place.toString()]
  return new Promise(resolve => {
    execFile('mkfifo', args, error => resolve(error === null))
  })
}

const zeros = Buffer.alloc(65_536)

function isZero(chunk: Uint8Array): boolean {
  if (chunk.length < 4096) return false
  for (let at = 0; at < chunk.length; at += zeros.length) {
    const end = Math.min(at + zeros.length, chunk.length)
    if (zeros.compare(chunk, at, end, 0, end - at) !== 0) return false
  }
  return true
}
