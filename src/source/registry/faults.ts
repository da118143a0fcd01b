/** What goes wrong between here and a registry, as sentences that name the host and nothing else of an address. */
import { Fault, isAbort } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'

/** What may go right the next time. */
export class Lost extends Fault {}

/** A registry that speaks no TLS. */
export class NoTls extends Fault {}

/** The host alone: paths and queries of addresses may hold secrets. */
export function nameOf(url: URL): string {
  return safe(url.host)
}

/** Whether a certificate was signed by nobody that is known. */
export function isUntrusted(error: unknown): boolean {
  return untrusted.has(String((error as { code?: unknown } | null)?.code))
}

const untrusted = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** What the system says, as a sentence. */
export function explained(error: unknown, { url, signal }: { url: URL; signal?: AbortSignal | undefined }): unknown {
  if (signal?.aborted) return signal.reason
  if (error instanceof Fault || isAbort(error)) return error
  const name = nameOf(url)
  const code = String((error as { code?: unknown } | null)?.code ?? '')
  if (isUntrusted(error))
    return new Fault(`The certificate of ${name} is signed by nobody that this machine trusts.`, {
      cause: error,
      hint: `Its authority’s certificate goes into /etc/containers/certs.d/${name}/ca.crt or /etc/docker/certs.d/${name}/ca.crt.`,
    })
  if (code.startsWith('ERR_TLS_CERT') || code.startsWith('CERT_'))
    return new Fault(`The certificate of ${name} is not good for it: ${certificateReason(code)}.`, { cause: error })
  if (code === 'EPROTO' || code.startsWith('ERR_SSL'))
    return new NoTls(`${name} does not speak TLS.`, {
      cause: error,
      hint: 'A registry of this machine may do without: --tls-verify=false',
    })
  if (code === 'HPE_HEADER_OVERFLOW') return new Fault(`The answer of ${name} has more than 64 kB of headers.`)
  if (code.startsWith('HPE_')) return new Fault(`${name} does not answer as a web server does.`, { cause: error })
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return new Fault(`There is no host ${name}: its name leads to no address.`, { cause: error })
  if (code === 'ECONNREFUSED') return new Fault(`Nothing answers at ${name}.`, { cause: error })
  return new Lost(`${name} can not be reached: ${code === '' ? 'the connection failed' : code}.`, { cause: error })
}

function certificateReason(code: string): string {
  if (code === 'CERT_HAS_EXPIRED') return 'it has expired'
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'it was made for other names'
  return code.toLowerCase().replaceAll('_', ' ')
}
