/** Writing bytes that pass by to a temporary file, so that they can be read again by position. */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  statfsSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Fault, reasonOf } from '../base/errors.ts'
import { formatBytes } from '../base/sizes.ts'

/** Room that is left to others on the device. */
const RESERVE = 512 << 20
/** How much is written between two looks at the room that is left. */
const LOOK_EVERY = 64 << 20

export interface SpoolWriter {
  write(chunk: Uint8Array): void
  /** Makes the file `bytes` long: what was left out at its end are zeros. */
  end(bytes: number): void
}

/** Writes behind one another what it is given. Zeros become holes: a bomb of them takes no room. @throws Fault when the device is full. */
export function spoolWriter(fd: number, name: string): SpoolWriter {
  let at = 0
  let untilLook = 0
  return {
    write(chunk) {
      if (!isZero(chunk)) {
        untilLook -= chunk.length
        if (untilLook < 0) {
          lookForRoom(fd, name)
          untilLook = LOOK_EVERY
        }
        try {
          for (let done = 0; done < chunk.length; ) done += writeSync(fd, chunk, done, chunk.length - done, at + done)
        } catch (error) {
          throw new Fault(`The content of ${name} can not be kept for reading: ${reasonOf(error)}.`, { cause: error })
        }
      }
      at += chunk.length
    },
    end(bytes) {
      if (fstatSync(fd).size < bytes) ftruncateSync(fd, bytes)
    },
  }
}

/** A new file without a name: it is gone when it is closed, however that happens. */
export function openSpool(folder: string | null): number {
  for (const place of folder === null ? [tmpdir()] : [folder, tmpdir()]) {
    try {
      mkdirSync(place, { recursive: true, mode: 0o700 })
      const path = join(place, `strata-${randomBytes(12).toString('hex')}.tmp`)
      const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)
      try {
        unlinkSync(path)
      } catch (error) {
        closeSync(fd)
        throw error
      }
      return fd
    } catch {}
  }
  throw new Fault('No temporary file can be made to keep content in.', { hint: 'Set TMPDIR to a folder with room.' })
}

const zeros = Buffer.alloc(256 << 10)

function isZero(chunk: Uint8Array): boolean {
  for (let at = 0; at < chunk.length; at += zeros.length) {
    const length = Math.min(zeros.length, chunk.length - at)
    if (zeros.compare(chunk, at, at + length, 0, length) !== 0) return false
  }
  return true
}

function lookForRoom(fd: number, name: string): void {
  let free: number
  try {
    // The file has no name any more, but the process knows it by its descriptor.
    const { bavail, bsize } = statfsSync(`/proc/self/fd/${fd}`)
    free = bavail * bsize
  } catch {
    return
  }
  if (free > RESERVE) return
  throw new Fault(
    `The content of ${name} can not be kept for reading: only ${formatBytes(free)} are free on the device.`,
    {
      hint: 'Set TMPDIR or XDG_CACHE_HOME to a folder with more room.',
    },
  )
}
