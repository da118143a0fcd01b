/** The client of registries: what it asks, whom it tells who asks, and that no registry can hold it up or fill its memory. */
import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { parseImageName } from '../../../src/image/image-name.ts'
import { parseChallenges } from '../../../src/source/registry/challenge.ts'
import { openRegistry } from '../../../src/source/registry/client.ts'
import { remoteImage as readImage, wantedOf } from '../../../src/source/registry/image.ts'
import type { Registry, RegistryAccess } from '../../../src/source/registry/types.ts'
import { until } from '../../harness/command.ts'
import {
  accessFor,
  imageOf,
  manifestType,
  type OddRegistry,
  oddRegistry,
  quickLimits,
  remoteImage,
  sha,
} from '../../harness/odd-registry.ts'

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

describe('what a registry hands out', () => {
  test('a manifest by tag and by digest, its blobs, parts of them, tags', async () => {
    const { odd, registry } = await opened()
    const image = remoteImage(1000)
    const digest = odd.add('team/app:1', image)
    expect(await registry.manifest('1')).toEqual({ bytes: image.manifest, mediaType: manifestType, digest })
    expect((await registry.manifest(digest)).digest).toBe(digest)
    expect(await registry.headManifest('2')).toBe(null)
    const layer = image.layers[0]
    expect(await registry.headBlob(sha(layer))).toEqual({ size: layer.length })
    const part = await registry.blob(sha(layer), { from: 10, to: 20 })
    expect([part.status, part.from, part.size, await bodyOf(part.body)]).toEqual([
      206,
      10,
      layer.length,
      layer.subarray(10, 20),
    ])
    const tags = []
    for await (const tag of registry.tags()) tags.push(tag)
    expect(tags).toEqual(['1'])
    registry.close()
  })

  test('an image of an index: the one for the platform, and never an attestation', async () => {
    const { odd, registry } = await opened()
    const arm = imageOf([], [], { os: 'linux', architecture: 'arm64' })
    const amd = imageOf([], [])
    const list = [
      {
        manifest: remoteImage(1).manifest,
        platform: { os: 'unknown', architecture: 'unknown' },
        annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
      },
      { manifest: arm.manifest, platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } },
      { manifest: amd.manifest, platform: { os: 'linux', architecture: 'amd64' } },
    ]
    odd.add('team/app:arm', arm)
    odd.add('team/app:amd', amd)
    const type = 'application/vnd.docker.distribution.manifest.list.v2+json'
    const manifests = list.map(({ manifest, ...one }) => ({
      mediaType: manifestType,
      digest: sha(manifest),
      size: manifest.length,
      ...one,
    }))
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: type, manifests }))
    odd.manifests.set('team/app:1', { bytes, type })
    const read = async (architecture: string) =>
      (await readImage(registry, '1', { os: 'linux', architecture, variant: null })).manifest.digest
    expect(await read('arm64')).toBe(sha(arm.manifest))
    expect(await read('amd64')).toBe(sha(amd.manifest))
    expect(await sentence(odd, read('s390x'))).toBe('HOST/team/app has no image for linux/s390x.')
    registry.close()
  })

  test('what is no image is refused with a word for it', async () => {
    const { odd, registry } = await opened()
    const put = (tag: string, json: object, type = manifestType) =>
      odd.manifests.set(`team/app:${tag}`, { bytes: Buffer.from(JSON.stringify(json)), type })
    const config = { mediaType: 'application/vnd.cncf.helm.config.v1+json', digest: sha(Buffer.from('{}')), size: 2 }
    put('chart', { schemaVersion: 2, mediaType: manifestType, config, layers: [] })
    put('old', { schemaVersion: 1, fsLayers: [], history: [] }, 'application/vnd.docker.distribution.manifest.v1+json')
    put('both', { schemaVersion: 2, config, layers: [], manifests: [] })
    put('lies', { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] })
    const says = (tag: string) => sentence(odd, readImage(registry, tag, null))
    expect(await says('chart')).toBe(
      'HOST/team/app is no container image but an artifact: application/vnd.cncf.helm.config.v1+json.',
    )
    expect(await says('old')).toMatch(/schema 1/)
    expect(await says('both')).toMatch(/a manifest and an index at once/)
    expect(await says('lies')).toMatch(/says that it is .*index.*, and the registry says .*manifest/)
    registry.close()
  })

  test('names lead to where they are', () => {
    expect(wantedOf(parseImageName('node'))).toBe('latest')
    const name = parseImageName('node')
    expect([name.registry, name.repository]).toEqual(['docker.io', 'library/node'])
  })
})

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

describe('who asks', () => {
  test('challenges are read as they are written', () => {
    expect(
      parseChallenges(
        'Bearer realm="https://auth.example/token",service="a \\"b\\"", scope="repository:x:pull,push", Basic realm=x',
      ),
    ).toEqual([
      {
        scheme: 'bearer',
        parameters: { realm: 'https://auth.example/token', service: 'a "b"', scope: 'repository:x:pull,push' },
      },
      { scheme: 'basic', parameters: { realm: 'x' } },
    ])
    expect(parseChallenges('"""===,,,'.repeat(5000))).toEqual([])
  })

  const secret = { username: 'me', password: 'open sesame' }
  const header = `Basic ${Buffer.from('me:open sesame').toString('base64')}`

  test('Basic: once it is asked for, and not again to a registry that does not take it', async () => {
    const { odd, registry } = await opened({ credentials: async () => secret })
    odd.add('team/app:1', remoteImage(1))
    odd.odd(({ headers }, response) => {
      if (headers.authorization === header) return false
      return Boolean(response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end())
    })
    await registry.manifest('1')
    await registry.manifest('1')
    expect(odd.asked.map(one => one.headers.authorization)).toEqual([undefined, header, header])
    odd.odd((_, response) => Boolean(response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()))
    const before = odd.asked.length
    expect(await sentence(odd, registry.manifest('1'))).toMatch(/HOST does not let us have the manifest/)
    expect(odd.asked.length - before).toBeLessThanOrEqual(2)
    registry.close()
  })

  test('a token: for this repository, anonymous or with a name; kept while it is good; a second 401 is the last word', async () => {
    const tokens = await oddRegistry()
    let given = 0
    tokens.odd((_, response) => Boolean(response.end(JSON.stringify({ token: `t${++given}`, expires_in: 300 }))))
    const { odd, registry } = await opened({ credentials: async () => secret })
    odd.add('team/app:1', remoteImage(1))
    const challenge = `Bearer realm="http://${tokens.host}/token?x=1",service="reg",scope="repository:evil:push"`
    odd.odd(({ headers }, response) => {
      if (headers.authorization === 'Bearer t1') return false
      return Boolean(response.writeHead(401, { 'www-authenticate': challenge }).end())
    })
    await registry.manifest('1')
    await registry.manifest('1')
    expect(tokens.asked.map(one => one.path)).toEqual([
      '/token?x=1&service=reg&scope=repository%3Ateam%2Fapp%3Apull&account=me',
    ])
    expect(tokens.asked[0].headers.authorization).toBe(header)
    odd.odd((_, response) => Boolean(response.writeHead(401, { 'www-authenticate': challenge }).end()))
    expect(await sentence(odd, registry.manifest('1'))).toMatch(/does not let us have/)
    expect(tokens.asked.length).toBe(2)
    registry.close()
  })

  test('an identity token goes to the realm by POST', async () => {
    const tokens = await oddRegistry()
    tokens.odd((_, response) => Boolean(response.end(JSON.stringify({ access_token: 'abc' }))))
    const { odd, registry } = await opened({ credentials: async () => ({ identityToken: 'idt' }) })
    odd.add('team/app:1', remoteImage(1))
    odd.odd(({ headers }, response) => {
      if (headers.authorization === 'Bearer abc') return false
      return Boolean(response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${tokens.host}/t"` }).end())
    })
    await registry.manifest('1')
    expect(Object.fromEntries(new URLSearchParams(tokens.asked[0].body.toString()))).toEqual({
      grant_type: 'refresh_token',
      client_id: 'strata',
      refresh_token: 'idt',
      scope: 'repository:team/app:pull',
    })
    registry.close()
  })

  test('whoever a redirection leads to is told nothing', async () => {
    const storage = await oddRegistry()
    storage.odd((_, response) => Boolean(response.end('bytes')))
    const { odd, registry } = await opened({ credentials: async () => secret })
    odd.odd(({ headers }, response) => {
      if (headers.authorization !== header)
        return Boolean(response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end())
      return Boolean(response.writeHead(307, { location: `http://u:p@${storage.host}/object?signature=s3cr3t` }).end())
    })
    const { body } = await registry.blob(sha(Buffer.from('x')))
    expect((await bodyOf(body)).toString()).toBe('bytes')
    expect(storage.asked.map(one => one.headers.authorization)).toEqual([undefined])
    storage.odd((_, response) => Boolean(response.writeHead(403).end()))
    expect(await message(registry.blob(sha(Buffer.from('x'))))).not.toMatch(/s3cr3t|sesame/)
    registry.close()
  })

  test('nothing secret is in what is told, whatever the registry does with it', async () => {
    const tokens = await oddRegistry()
    const { odd, registry, told } = await opened({ credentials: async () => secret })
    const answers = ['{"token":"s3cr3t token"}', 's3cr3t', '{"token":"s3cr3t\\n"}', '{"errors":[{"message":"no"}]}']
    odd.odd((_, response) => {
      return Boolean(
        response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${tokens.host}/t?k=s3cr3t"` }).end(),
      )
    })
    for (const answer of answers) {
      tokens.odd((_, response) => Boolean(response.end(answer)))
      const error = await registry.manifest('1').catch(error => error)
      const all = []
      for (let at = error; at instanceof Error; at = at.cause)
        all.push(at.message, at.stack, (at as { hint?: string }).hint)
      expect([...all, ...told].join('\n')).not.toMatch(/s3cr3t|sesame|bWU6/)
    }
    registry.close()
  })

  test('a realm without TLS gets nothing, unless it and the registry are of this machine', async () => {
    const { odd, registry } = await opened({ credentials: async () => secret })
    const says = (realm: string) => {
      odd.odd((_, response) => {
        return Boolean(response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}"` }).end())
      })
      return sentence(odd, registry.manifest('1'))
    }
    expect(await says('http://auth.example/t')).toBe(
      'HOST wants us to log in at auth.example without TLS: that is not done.',
    )
    expect(await says('ftp://auth.example/t')).toMatch(/does not say where/)
    registry.close()
  })
})
