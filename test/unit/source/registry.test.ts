/** The client of registries: what it asks, and whom it tells who asks. */
import { describe, expect, test } from 'vitest'
import { parseImageName } from '../../../src/image/image-name.ts'
import { parseChallenges } from '../../../src/source/registry/challenge.ts'
import { openRegistry } from '../../../src/source/registry/client.ts'
import { remoteImage as readImage, wantedOf } from '../../../src/source/registry/image.ts'
import type { Registry, RegistryAccess } from '../../../src/source/registry/types.ts'
import {
  accessFor,
  imageOf,
  manifestType,
  type OddRegistry,
  oddRegistry,
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
