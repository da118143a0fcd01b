/**
 * Memory that typed arrays leave behind when a large live layer is laid anew several times a second. To the engine of
 * JavaScript they are outside of its heap, and it lets 64 MB of them gather before it looks; here it looks earlier.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Bytes a path of the layer costs in one laying: columns, deltas, sums. */
const BYTES_A_NODE = 120
/** So much may lie around. */
const MOST = 16 << 20

/** So much is worth a look when nothing else is to be done. */
const WORTH = 2 << 20

let collect: (() => void) | null = null
let spent = 0

/** A layer of so many paths was laid; costs some 20 ms when enough has gathered. */
export function spentOnLaying(nodes: number): void {
  spent += nodes * BYTES_A_NODE
  if (spent >= MOST) takeBack()
}

/** Nothing changes any more: what was left behind is given back. */
export function restAfterLaying(): void {
  if (spent >= WORTH) takeBack()
}

function takeBack(): void {
  spent = 0
  collect ??= collector()
  collect()
}

function collector(): () => void {
  try {
    setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc') as (options: object) => void
    // The one that gives pages back to the system too.
    return () => gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  } catch {
    return () => {} // it is done later then, by itself
  }
}
