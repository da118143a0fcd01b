/** Certificates for a loopback engine, made by openssl: an authority, a server and a client. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { command } from './command.ts'

/** Writes `ca.pem`, `server.pem`, `server-key.pem`, `cert.pem`, `key.pem` into a folder, for 127.0.0.1. */
export async function makeCertificates(folder: string): Promise<void> {
  const openssl = (...args: string[]) => command('openssl', args, { cwd: folder })
  await openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=strata test',
    '-keyout',
    'ca-key.pem',
    '-out',
    'ca.pem',
  )
  const sign = async (name: string, key: string, subject: string, extensions: string) => {
    writeFileSync(join(folder, 'extensions'), extensions)
    await openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', subject, '-keyout', key, '-out', 'request.pem')
    const authority = ['-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial']
    await openssl(
      'x509',
      '-req',
      '-in',
      'request.pem',
      ...authority,
      '-days',
      '2',
      '-out',
      name,
      '-extfile',
      'extensions',
    )
  }
  await sign(
    'server.pem',
    'server-key.pem',
    '/CN=engine',
    'subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth',
  )
  await sign('cert.pem', 'key.pem', '/CN=client', 'extendedKeyUsage=clientAuth')
}
