/**
 * Chunks of a socket are garbage as soon as they are written, and V8 lets them gather until they are 64 MB: whoever moves
 * hundreds of megabytes asks for them to be taken away in time. Only what is young is looked through: half a millisecond.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** So many bytes of garbage are worth it. */
const WORTH = 8 << 20

let collect: ((how: { type: 'minor' }) => void) | null = null
let moved = 0

/** Tells that so many bytes have been read from a socket and are done with. */
export function doneWith(bytes: number): void {
  moved += bytes
  if (moved < WORTH) return
  moved = 0
  if (collect === null) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc')
    setFlagsFromString('--no-expose-gc')
  }
  collect?.({ type: 'minor' })
}
