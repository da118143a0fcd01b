/** No registry can hold the client up, fill its memory, or have it believe a lie. */
import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { parseImageName } from '../../../src/image/image-name.ts'
import { openRegistry } from '../../../src/source/registry/client.ts'
import type { Registry, RegistryAccess } from '../../../src/source/registry/types.ts'
import { until } from '../../harness/command.ts'
import { accessFor, type OddRegistry, oddRegistry, quickLimits, remoteImage, sha } from '../../harness/odd-registry.ts'

async function opened(
  more: Partial<RegistryAccess> = {},
): Promise<{ odd: OddRegistry; registry: Registry; told: string[] }> {
  const odd = await oddRegistry()
  const access = accessFor(more)
  return { odd, registry: openRegistry(parseImageName(`${odd.host}/team/app:1`), { access }), told: access.told }
}

const message = (work: Promise<unknown>) =>
  work.then(
    () => 'it worked',
    error => (error instanceof Error ? error.message : String(error)),
  )

/** What a failure says, without the port of the registry. */
const sentence = async (odd: OddRegistry, work: Promise<unknown>) => (await message(work)).replaceAll(odd.host, 'HOST')

async function bodyOf(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const bomb = gzipSync(Buffer.alloc(64 << 20))

/** Sends as fast as it is taken, and never ends. */
function endless(response: ServerResponse): boolean {
  const more = () => {
    while (response.write(Buffer.alloc(64 << 10, 0x20)));
  }
  response.on('drain', more)
  more()
  return true
}

describe('registries that lie, hang or never end', () => {
  const digest = sha(Buffer.from('x'))
  const cases: [string, (registry: Registry) => Promise<unknown>, Parameters<OddRegistry['odd']>[0], RegExp][] = [
    [
      'a manifest that does not have its digest',
      registry => registry.manifest(digest),
      (_, response) => Boolean(response.end('{"schemaVersion":2}')),
      /does not have its digest: it should be sha256:2d71.*, and is sha256:/,
    ],
    [
      'a manifest by tag that is not what the header says',
      registry => registry.manifest('1'),
      (_, response) => Boolean(response.setHeader('docker-content-digest', digest).end('{}')),
      /does not have its digest/,
    ],
    [
      'a manifest that claims to be gigantic',
      registry => registry.manifest('1'),
      (_, response) => Boolean(response.setHeader('content-length', 1e12).write('{')),
      /sends more than 4.19 MB for the manifest .*: it is not read\.$/,
    ],
    [
      'a manifest without end',
      registry => registry.manifest('1'),
      (_, response) => endless(response),
      /sends more than 4.19 MB/,
    ],
    [
      'a gzip bomb in place of JSON is what came, and never inflated',
      registry => registry.manifest('1'),
      (_, response) => Boolean(response.setHeader('content-encoding', 'gzip').end(bomb)),
      /is no JSON/,
    ],
    ['no answer at all', registry => registry.manifest('1'), () => true, /HOST did not answer within 400 ms\.$/],
    [
      'headers without end',
      registry => registry.manifest('1'),
      (_, response) => {
        response.socket!.write('HTTP/1.1 200 OK\r\n')
        const more = setInterval(() => response.socket?.write(`x-${Math.random()}: y\r\n`), 10)
        response.socket!.on('close', () => clearInterval(more))
        return true
      },
      /HOST did not answer within/,
    ],
    [
      'headers that are too many',
      registry => registry.manifest('1'),
      (_, response) => Boolean(response.socket!.write(`HTTP/1.1 200 OK\r\n${'x-y: zzzzzzzz\r\n'.repeat(20_000)}`)),
      /more than 64 kB of headers/,
    ],
    [
      'a body that stops',
      registry => registry.manifest('1'),
      (_, response) => Boolean(response.setHeader('content-length', 100).write('{')),
      /HOST has sent nothing for 300 ms\.$/,
    ],
    [
      'a document that drips',
      registry => registry.manifest('1'),
      (_, response) => {
        const drip = setInterval(() => response.write(' '), 50)
        response.on('close', () => clearInterval(drip))
        return true
      },
      /HOST (?:takes too long to send the manifest|sends too slowly)/,
    ],
    [
      'redirections without end',
      registry => registry.blob(digest),
      ({ path }, response) => Boolean(response.writeHead(307, { location: `${path}x` }).end()),
      /sends us from one place to another without end/,
    ],
    [
      'a redirection to nowhere',
      registry => registry.blob(digest),
      (_, response) => Boolean(response.writeHead(302, { location: 'file:///etc/passwd' }).end()),
      /sends us on and does not say where/,
    ],
    [
      'what is no HTTP',
      registry => registry.manifest('1'),
      (_, response) => Boolean(response.socket!.end('SSH-2.0-OpenSSH_9.2\r\n')),
      /does not answer as a web server does/,
    ],
    [
      'another part of a blob than was asked for',
      registry => registry.blob(digest, { from: 5 }),
      (_, response) => Boolean(response.writeHead(206, { 'content-range': 'bytes 0-4/10' }).end('01234')),
      /sends another part/,
    ],
    [
      'words of the registry are shown harmlessly',
      registry => registry.manifest('1'),
      (_, response) => Boolean(response.writeHead(404).end(JSON.stringify({ errors: [{ message: 'gone\x1b[2J' }] }))),
      /does not have the manifest of HOST\/team\/app:1: gone\\x1b\[2J\.$/,
    ],
  ]
  test.for(cases)('%s', { timeout: 15_000 }, async ([, work, oddity, expected]) => {
    const { odd, registry } = await opened({ limits: { ...quickLimits, tries: 2 } })
    odd.odd(oddity)
    expect(await sentence(odd, work(registry))).toMatch(expected)
    registry.close()
  })

  test('a blob that drips, or is cut, fails where it is read', async () => {
    const { odd, registry } = await opened()
    odd.odd(({ path }, response) => {
      if (path.endsWith('0')) {
        response.setHeader('content-length', 1000)
        response.write('x')
        setTimeout(() => response.destroy(), 50)
        return true
      }
      const drip = setInterval(() => response.write('x'), 20)
      response.on('close', () => clearInterval(drip))
      return true
    })
    const cut = await registry.blob(`sha256:${'0'.repeat(64)}`)
    expect(await sentence(odd, bodyOf(cut.body))).toBe('The connection to HOST was cut.')
    const drips = await registry.blob(`sha256:${'1'.repeat(64)}`)
    expect(await sentence(odd, bodyOf(drips.body))).toMatch(/HOST sends too slowly: \d+ B in \d+ ms\./)
    registry.close()
  })

  const pages: [string, string | null, RegExp][] = [
    ['pages in a circle', '</v2/team/app/tags/list?n=1000>; rel="next"', /comes back to a page that was there before/],
    ['pages without end', null, /has more than 20 pages/],
    [
      'a next page at another host',
      '<http://127.0.0.2:1/v2/team/app/tags/list>; rel="next"',
      /goes on .* at another host/,
    ],
    ['a link that leads nowhere', '<gopher://x>; rel=next', /does not say where/],
  ]
  test.for(pages)('a list of tags with %s', async ([, link, expected]) => {
    const { odd, registry } = await opened()
    let page = 0
    odd.odd((_, response) => {
      response.setHeader('link', link ?? `<?page=${page++}>; rel="next"`)
      return Boolean(response.end('{"tags":["a"]}'))
    })
    const all = async () => {
      for await (const _ of registry.tags());
    }
    expect(await sentence(odd, all())).toMatch(expected)
    registry.close()
  })

  test('too many requests: it waits as long as it is asked to, says so, and not for ever', async () => {
    const { odd, registry, told } = await opened()
    odd.add('team/app:1', remoteImage(1))
    let left = 2
    odd.odd((_, response) => {
      if (left-- <= 0) return false
      return Boolean(response.writeHead(left === 1 ? 429 : 503, left === 1 ? { 'retry-after': '1' } : {}).end())
    })
    await registry.manifest('1')
    expect(told.map(one => one.replaceAll(odd.host, 'HOST'))).toEqual([
      'HOST has had too many requests; trying again in 1 s',
      'HOST answers with 503; trying again in 10 ms',
    ])
    odd.odd((_, response) => Boolean(response.writeHead(429, { 'retry-after': '3600' }).end()))
    expect(await sentence(odd, registry.manifest('1'))).toBe(
      'HOST wants us to come back in 1 h: it has had too many requests.',
    )
    odd.odd((_, response) => Boolean(response.writeHead(500).end()))
    expect(await sentence(odd, registry.manifest('1'))).toMatch(/it answered with 500/)
    registry.close()
  })

  test('an abort ends a question at once', async () => {
    const { odd, registry } = await opened({ limits: { ...quickLimits, answer: 60_000 } })
    odd.odd(() => true)
    const stop = new AbortController()
    const asked = message(registry.manifest('1', stop.signal))
    await until(() => odd.asked.length === 1)
    stop.abort()
    expect(await asked).toMatch(/abort/i)
    registry.close()
  }, 5000)
})
