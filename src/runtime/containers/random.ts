/** Random bytes from the kernel itself: loading Node's crypto takes as long as starting a container. */
import { Buffer } from 'node:buffer'
import { closeSync, openSync, readSync } from 'node:fs'

export function random(count: number): Buffer {
  const bytes = Buffer.alloc(count)
  const fd = openSync('/dev/urandom', 'r')
  try {
    for (let at = 0; at < count; ) at += readSync(fd, bytes, at, count - at, null)
    return bytes
  } finally {
    closeSync(fd)
  }
}

/** One of them, as likely as any other as far as a name cares. */
export function anyOf<T>(things: readonly T[]): T {
  return things[random(4).readUInt32LE(0) % things.length]
}
