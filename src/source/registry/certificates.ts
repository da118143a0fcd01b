/**
 * Authorities and client certificates of single registries (containers-certs.d(5), Docker's `certs.d`): of a folder named
 * HOST[:PORT], every `*.crt` is an authority, `NAME.cert` and `NAME.key` say who asks.
 */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault, reasonOf } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import type { Surroundings } from './access.ts'
import type { Certificates } from './types.ts'

const mostBytes = 1 << 20

/** null: no folder has any. @throws Fault when one can not be read. */
export async function findCertificates(
  { env, home, root = '' }: Surroundings,
  host: string,
): Promise<Certificates | null> {
  const own = join(env.XDG_CONFIG_HOME || join(home, '.config'), 'containers/certs.d')
  const folders = [own, join(root, '/etc/containers/certs.d'), join(root, '/etc/docker/certs.d')]
  const found: Certificates = { ca: [], cert: null, key: null }
  for (const folder of folders) await addFrom(join(folder, host), found)
  return found.ca.length === 0 && found.cert === null ? null : found
}

async function addFrom(folder: string, found: Certificates): Promise<void> {
  const names: string[] = await readdir(folder).catch(() => [])
  const read = (name: string) => readSmall(join(folder, name))
  for (const name of names.sort().slice(0, 100)) {
    if (name.endsWith('.crt')) found.ca.push(await read(name))
    if (!name.endsWith('.cert') || found.cert !== null) continue
    const key = name.replace(/\.cert$/, '.key')
    if (!names.includes(key))
      throw new Fault(`${safe(join(folder, name))} has no key beside it: ${safe(key)} is missing.`)
    found.cert = await read(name)
    found.key = await read(key)
  }
}

async function readSmall(path: string): Promise<Buffer> {
  try {
    if ((await stat(path)).size > mostBytes) throw new Fault(`${safe(path)} is too large for a certificate.`)
    return await readFile(path)
  } catch (error) {
    if (error instanceof Fault) throw error
    throw new Fault(`${safe(path)} can not be read: ${reasonOf(error)}.`, { cause: error })
  }
}
