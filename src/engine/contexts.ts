/**
 * Docker contexts and certificates, read from the files where Docker's command line keeps them
 * (docker/cli, cli/context/store): `contexts/meta/<sha256 of the name>/meta.json` and `contexts/tls/<same>/docker/*.pem`.
 */
import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { asFault, Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import { type Address, parseHost, type Tls } from './address.ts'

/** No file of Docker's configuration is larger than this; bytes. */
const mostBytes = 4 << 20

/**
 * The address of a context. `folder` is Docker's configuration (`~/.docker`).
 * Throws a Fault when there is no such context or it names no Docker engine.
 */
export async function readContext(folder: string, name: string): Promise<Address> {
  const id = createHash('sha256').update(name).digest('hex')
  const what = `The Docker context “${safe(name)}”`
  const text = await readText(join(folder, 'contexts', 'meta', id, 'meta.json'), what)
  if (text === null)
    throw new Fault(`${what} does not exist.`, { hint: '`docker context ls` lists them.', exitCode: 2 })
  const { Host, SkipTLSVerify } = parse(metaShape, text, what).Endpoints.docker
  const tls = await readTls(join(folder, 'contexts', 'tls', id, 'docker'), !SkipTLSVerify)
  return parseHost(Host, what, { tls })
}

/** The name of the context that `docker context use` chose; null when none is. */
export async function currentContext(folder: string): Promise<string | null> {
  const file = join(folder, 'config.json')
  const text = await readText(file, file)
  if (text === null) return null
  return parse(configShape, text, safe(file)).currentContext || null
}

/** Certificates of a folder; null when it holds none of `ca.pem`, `cert.pem`, `key.pem`. */
export async function readTls(folder: string, verify: boolean): Promise<Tls | null> {
  const [ca, cert, key] = await Promise.all(
    ['ca', 'cert', 'key'].map(name => readText(join(folder, `${name}.pem`), join(folder, `${name}.pem`))),
  )
  return ca === null && cert === null && key === null ? null : { ca, cert, key, verify }
}

const metaShape = z.object({
  Endpoints: z.object({ docker: z.object({ Host: z.string(), SkipTLSVerify: z.boolean().optional() }) }),
})

const configShape = z.object({ currentContext: z.string().optional() })

function parse<T>(shape: z.ZodType<T>, text: string, what: string): T {
  try {
    return shape.parse(JSON.parse(text))
  } catch (error) {
    throw new Fault(`${what} can not be read: its file is not what Docker writes.`, { cause: error })
  }
}

/** null when there is no such file. */
async function readText(file: string, what: string): Promise<string | null> {
  try {
    if ((await stat(file)).size > mostBytes) throw new Fault(`${safe(file)} is too large.`)
    return await readFile(file, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw asFault(error, `${safe(what)} can not be read`)
  }
}
