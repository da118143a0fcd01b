/** Credential helpers: programs `docker-credential-NAME` that keep passwords elsewhere (docker/docker-credential-helpers). */
import { execFile } from 'node:child_process'
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import type { Credentials } from './types.ts'

/** A helper may ask the person on a screen of its own; milliseconds. */
const patience = 60_000
const mostBytes = 256 << 10

/**
 * What the helper has for a server; null when it says that it has nothing. It is found on PATH by its name alone, runs
 * without a shell, and nothing of what it says is passed on. @throws Fault when there is no such helper, or it fails.
 */
export async function askHelper(
  name: string,
  server: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Credentials | null> {
  if (!/^[A-Za-z0-9][\w.+-]{0,63}$/.test(name))
    throw new Fault(`“${safe(name.slice(0, 64))}” is no name of a credential helper.`, {
      hint: 'It stands in config.json, at credsStore or credHelpers.',
    })
  const program = `docker-credential-${name}`
  const said = await run(program, server, env)
  if (said === null) return null
  const { Username, Secret } = shapeOf(said)
  if (typeof Username !== 'string' || typeof Secret !== 'string')
    throw new Fault(`${program} gives no credentials that make sense.`)
  if (Username === '<token>') return { identityToken: Secret }
  return Username === '' ? null : { username: Username, password: Secret }
}

function run(
  program: string,
  server: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const options = {
      env: env as NodeJS.ProcessEnv,
      timeout: patience,
      maxBuffer: mostBytes,
      killSignal: 'SIGKILL' as const,
    }
    const child = execFile(program, ['get'], options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout)
      // The one thing that helpers say in the same words everywhere (credentials.ErrCredentialsNotFound).
      if (/credentials not found in native keychain/.test(stdout + stderr)) return resolve(null)
      if ((error as NodeJS.ErrnoException).code === 'ENOENT')
        return reject(new Fault(`There is no ${program}, which is to know the password of ${safe(server)}.`))
      const why = error.killed
        ? 'it took too long'
        : typeof error.code === 'number'
          ? `it ended with ${error.code}`
          : 'it failed'
      reject(new Fault(`${program} does not give the password of ${safe(server)}: ${why}.`))
    })
    child.stdin?.on('error', () => {})
    child.stdin?.end(server)
  })
}

function shapeOf(text: string): { Username?: unknown; Secret?: unknown } {
  try {
    return Object(JSON.parse(text))
  } catch {
    return {}
  }
}
