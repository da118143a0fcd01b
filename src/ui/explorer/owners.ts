/** Names of owners, from the image's own /etc/passwd and /etc/group. Both are foreign: bounded, and never trusted. */
import { Buffer } from 'node:buffer'
import { cutEnd, safe } from '../../base/text.ts'

export interface Owners {
  users: ReadonlyMap<number, string>
  groups: ReadonlyMap<number, string>
}

export const noOwners: Owners = { users: new Map(), groups: new Map() }

/** The files are read up to here. */
export const OWNER_FILE_BYTES = 256 * 1024

/** Numbers to names of a passwd or group file: `name:x:number:…` a line. The first line of a number counts. */
export function readNames(file: Uint8Array): Map<number, string> {
  const names = new Map<number, string>()
  const text = Buffer.from(file.buffer, file.byteOffset, Math.min(file.length, OWNER_FILE_BYTES)).toString('utf8')
  for (const line of text.split('\n')) {
    const [name, , number] = line.split(':', 3)
    if (!name || !number || !/^\d{1,10}$/.test(number)) continue
    if (!names.has(Number(number))) names.set(Number(number), safe(name))
  }
  return names
}

/** How an owner is shown: its name where there is one, else its number. */
export function ownerName(names: ReadonlyMap<number, string>, id: number, columns = 16): string {
  const name = names.get(id)
  return name === undefined ? String(id) : cutEnd(name, columns)
}
