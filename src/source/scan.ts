/** Reading the headers of a tar that lies in a region: bodies are seeked over, as far as that pays. */
import type { TarScanner } from '../layer/tar-scanner.ts'
import { type Region, readInto } from './region.ts'

/**
 * One read. A body is seeked over only where it goes beyond the window: to skip the small ones as well would be less
 * copying, but defeats the kernel's readahead, and a cold file then takes twice as long.
 */
export const WINDOW = 1 << 20

/**
 * Drives the scanner over the region, one window a step; each step gives how many bytes are behind it. The scanner's
 * faults come out of it, truncation included.
 */
export function* scanRegion(region: Region, scanner: TarScanner, window = WINDOW): Generator<number, void, void> {
  const buffer = new Uint8Array(Math.min(window, region.size))
  let at = 0
  while (at < region.size && !scanner.done) {
    const got = readInto(region, at, buffer)
    if (got === 0) break
    scanner.push(buffer, 0, got)
    at += got
    if (scanner.skippable > window) {
      const skipped = Math.min(scanner.skippable, region.size - at)
      scanner.skip(skipped)
      at += skipped
    }
    yield at
  }
  scanner.end()
}
