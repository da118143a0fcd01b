/** What network a running container has, as the helper tells it: the file `network` of its state (native/src/network.h). */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Places } from '../places.ts'

export interface NetworkTold {
  kind: string
  address: string | null
  /** Bits of the network's part; 0: not known. */
  prefix: number
  gateway: string | null
  mac: string | null
  /** The other end of its link, on this machine. */
  link: string | null
  ports: { address: string; host: number; inside: number; udp: boolean }[]
}

/** null where there is nothing to tell: it does not run, or its network is not ours. */
export function readNetwork(places: Places, id: string): NetworkTold | null {
  try {
    return JSON.parse(readFileSync(join(places.state, id, 'network'), 'utf8')) as NetworkTold
  } catch {
    return null
  }
}
