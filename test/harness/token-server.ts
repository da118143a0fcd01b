/**
 * A server of tokens for Debian's registry (distribution, "Token Authentication Specification"): who names himself rightly
 * may pull and push, anybody else may pull what is below `open/`.
 */
import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

export interface TokenServer {
  /** The section of the registry's configuration. */
  auth: string
  /** What it was asked: scopes, and the header of who asks. */
  asked: { scopes: string[]; authorization: string | undefined }[]
  stop(): Promise<void>
}

/** `folder` has the authority that `makeCertificates` writes. */
export async function startTokenServer(
  folder: string,
  login: { user: string; password: string },
): Promise<TokenServer> {
  const key = createPrivateKey(readFileSync(join(folder, 'ca-key.pem')))
  const certificate = new X509Certificate(readFileSync(join(folder, 'ca.pem')))
  const right = `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`
  const asked: TokenServer['asked'] = []
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://x')
    const { authorization } = request.headers
    const scopes = searchParams.getAll('scope')
    asked.push({ scopes, authorization })
    if (authorization !== undefined && authorization !== right) return void response.writeHead(401).end()
    const access = scopes.flatMap(scope => {
      const [type, name, actions] = scope.split(':')
      const wanted = actions.split(',')
      const may = authorization ? wanted : wanted.filter(one => one === 'pull' && name.startsWith('open/'))
      return [{ type, name, actions: may }]
    })
    const now = Math.floor(Date.now() / 1000)
    const claims = {
      iss: 'strata test',
      sub: '',
      aud: 'registry',
      exp: now + 300,
      nbf: now - 10,
      iat: now,
      jti: randomUUID(),
      access,
    }
    const head = { typ: 'JWT', alg: 'RS256', x5c: [certificate.raw.toString('base64')] }
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const signed = `${part(head)}.${part(claims)}`
    const token = `${signed}.${sign('RSA-SHA256', Buffer.from(signed), key).toString('base64url')}`
    response.end(JSON.stringify({ token, expires_in: 300 }))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const lines = [
    'auth:',
    '  token:',
    `    realm: http://127.0.0.1:${port}/token`,
    '    service: registry',
    '    issuer: strata test',
    `    rootcertbundle: ${join(folder, 'ca.pem')}`,
  ]
  return {
    auth: `${lines.join('\n')}\n`,
    asked,
    async stop() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
