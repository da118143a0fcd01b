/** What an engine refused, or why it could not be asked, as a sentence with what to do about it. */
import { Fault, isAbort, reasonOf } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import { formatAddress } from './address.ts'
import type { Endpoint } from './endpoints.ts'

/** A Fault that also holds the HTTP status with which the engine refused. */
export class EngineFault extends Fault {
  readonly status: number

  constructor(status: number, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options)
    this.status = status
  }
}

/** The fault for a failure to reach an engine at all. */
export function unreachable(error: unknown, { name, address }: Endpoint): Fault {
  if (error instanceof Fault) return error
  if (isAbort(error)) return new Fault('Cancelled.', { cause: error, exitCode: 130 })
  const where = formatAddress(address)
  const code = (error as NodeJS.ErrnoException | null)?.code ?? ''
  const hint = code.startsWith('ERR_TLS') || tlsWords.test(reasonOf(error)) ? tlsHint : hints(name)[code]
  return new Fault(`${safe(name)} at ${where}: ${safe(reasonOf(error).split(';')[0])}.`, {
    cause: error,
    ...(hint && { hint }),
  })
}

const tlsWords = /certificate|self.signed|tls|ssl|wrong version number/i
const tlsHint = 'The engine wants TLS with certificates: DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH, or a Docker context.'

function hints(name: string): Record<string, string> {
  const podman = name.startsWith('podman')
  const start = podman
    ? 'Start it: systemctl --user start podman.socket, or as root without --user.'
    : 'Start it: systemctl start docker.'
  const allowed = podman
    ? 'It is root’s podman: run as root, or start your own with systemctl --user start podman.socket.'
    : 'Add yourself to the docker group (usermod -aG docker USER, then log in again) or run as root.'
  return { EACCES: allowed, EPERM: allowed, ECONNREFUSED: start, ENOENT: start }
}
