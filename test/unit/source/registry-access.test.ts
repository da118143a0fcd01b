/** Whom a registry is told about: names and passwords as docker login and podman login keep them, helpers, certificates. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { registryAccess } from '../../../src/source/registry/access.ts'
import { isLoopback } from '../../../src/source/registry/hosts.ts'
import { scratch } from '../../harness/scratch.ts'

const auth = (name: string, password: string) => ({ auth: Buffer.from(`${name}:${password}`).toString('base64') })

/** Surroundings with these files in their home. */
function around(files: Record<string, unknown>, env: Record<string, string> = {}) {
  const { path: home } = scratch()
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(home, name)), { recursive: true })
    writeFileSync(join(home, name), typeof content === 'string' ? content : JSON.stringify(content))
  }
  const inHome = Object.fromEntries(Object.entries(env).map(([key, value]) => [key, value.replace('~', home)]))
  return { home, env: { PATH: process.env.PATH, ...inHome }, root: home }
}

const who = (of: ReturnType<typeof around>, host: string, repository = 'team/app') =>
  registryAccess(of).credentials(host, repository)

describe('names and passwords', () => {
  test('of docker login: however the registry is spelled', async () => {
    const auths = {
      'https://index.docker.io/v1/': auth('hub', 'a:b'),
      'localhost:5000': auth('me', 'x'),
      'https://quay.example': { identitytoken: 'idt' },
      'empty.example': {},
    }
    const of = around({ '.docker/config.json': { auths } })
    expect(await who(of, 'docker.io')).toEqual({ username: 'hub', password: 'a:b' })
    expect(await who(of, 'localhost:5000')).toEqual({ username: 'me', password: 'x' })
    expect(await who(of, 'quay.example')).toEqual({ identityToken: 'idt' })
    for (const host of ['localhost', 'empty.example', 'other.example']) expect(await who(of, host)).toBe(null)
  })

  test('of podman login: the narrowest entry, and before those of docker', async () => {
    const of = around(
      {
        'run/containers/auth.json': {
          auths: { 'r.example': auth('wide', '1'), 'r.example/team': auth('narrow', '2') },
        },
        '.docker/config.json': { auths: { 'r.example': auth('docker', '3'), 'd.example': auth('docker', '4') } },
      },
      { XDG_RUNTIME_DIR: '~/run' },
    )
    expect(await who(of, 'r.example')).toEqual({ username: 'narrow', password: '2' })
    expect(await who(of, 'r.example', 'other/app')).toEqual({ username: 'wide', password: '1' })
    expect(await who(of, 'd.example')).toEqual({ username: 'docker', password: '4' })
  })

  test('files that variables name', async () => {
    const files = {
      'a.json': { auths: { 'r.example': auth('a', '') } },
      'd/config.json': { auths: { 'r.example': auth('d', '') } },
    }
    expect(
      await who(around(files, { REGISTRY_AUTH_FILE: '~/a.json', DOCKER_CONFIG: '~/d' }), 'r.example'),
    ).toMatchObject({ username: 'a' })
    expect(await who(around(files, { DOCKER_CONFIG: '~/d' }), 'r.example')).toMatchObject({ username: 'd' })
  })

  test('a file that is none says so, and nothing of what is in it', async () => {
    const of = around({ '.docker/config.json': '{"auths": {"r.example": {"auth": "c2VjcmV0OnNlY3JldA==" ' })
    const error = await who(of, 'r.example').catch(error => error)
    expect(error.message).toMatch(/config\.json is not what docker login or podman login write\.$/)
    expect(`${error.stack}${error.cause}`).not.toContain('c2Vj')
  })
})

describe('credential helpers', () => {
  /** A helper that notes what it was called with. */
  function withHelper(script: string, config: object) {
    const of = around({
      '.docker/config.json': config,
      'bin/docker-credential-own': `#!/bin/sh\necho "$@" > $0.args; cat > $0.input\n${script}\n`,
    })
    chmodSync(join(of.home, 'bin/docker-credential-own'), 0o755)
    return { ...of, env: { ...of.env, PATH: `${of.home}/bin:${process.env.PATH}` } }
  }
  const said = (of: { home: string }, what: string) =>
    readFileSync(join(of.home, `bin/docker-credential-own.${what}`), 'utf8').trim()

  test('is asked by name, for the one registry, and may have a token', async () => {
    const of = withHelper(`echo '{"ServerURL":"x","Username":"me","Secret":"s"}'`, {
      credHelpers: { 'r.example': 'own' },
    })
    expect(await who(of, 'r.example')).toEqual({ username: 'me', password: 's' })
    expect([said(of, 'args'), said(of, 'input')]).toEqual(['get', 'r.example'])
    expect(await who(of, 'other.example')).toBe(null)
    const token = withHelper(`echo '{"Username":"<token>","Secret":"idt"}'`, { credsStore: 'own' })
    expect(await who(token, 'docker.io')).toEqual({ identityToken: 'idt' })
    expect(said(token, 'input')).toBe('https://index.docker.io/v1/')
  })

  test('that has nothing is no failure; one that fails is, and what it says stays with it', async () => {
    const none = withHelper('echo credentials not found in native keychain; exit 1', { credsStore: 'own' })
    expect(await who(none, 'r.example')).toBe(null)
    const fails = withHelper('echo secret; exit 3', { credsStore: 'own' })
    const error = await who(fails, 'r.example').catch(error => error)
    expect(error.message).toBe('docker-credential-own does not give the password of r.example: it ended with 3.')
    expect(`${error.stack} ${error.cause}`).not.toContain('secret')
    const talks = withHelper('yes secret', { credsStore: 'own' })
    await expect(who(talks, 'r.example')).rejects.toThrow(/it failed|took too long/)
  })

  test.for([
    '../own',
    '/bin/own',
    'own; touch x',
    '$(own)',
    '',
    ' own',
    '-own',
  ])('a name that is none runs nothing: “%s”', async name => {
    const of = withHelper(`echo '{"Username":"me","Secret":"s"}'`, { credHelpers: { 'r.example': name } })
    const found = await who(of, 'r.example').catch(error => error.message)
    if (name === '') expect(found).toBe(null)
    else expect(found).toMatch(/is no name of a credential helper/)
  })

  test('that is not there is named', async () => {
    const of = around({ '.docker/config.json': { credsStore: 'nowhere' } })
    await expect(who(of, 'r.example')).rejects.toThrow(
      'There is no docker-credential-nowhere, which is to know the password of r.example.',
    )
  })
})

test('certificates of one registry: authorities, and a pair that says who asks', async () => {
  const of = around({
    '.config/containers/certs.d/r.example:5000/own.crt': 'A',
    'etc/docker/certs.d/r.example:5000/ca.crt': 'B',
    'etc/docker/certs.d/r.example:5000/client.cert': 'C',
    'etc/docker/certs.d/r.example:5000/client.key': 'K',
    'etc/docker/certs.d/odd.example/client.cert': 'C',
  })
  const found = await registryAccess(of).certificates('r.example:5000')
  expect(found?.ca.map(String)).toEqual(['A', 'B'])
  expect([String(found?.cert), String(found?.key)]).toEqual(['C', 'K'])
  expect(await registryAccess(of).certificates('r.example')).toBe(null)
  await expect(registryAccess(of).certificates('odd.example')).rejects.toThrow(/has no key beside it/)
})

test('loopback is this machine and no name that looks like it', () => {
  const here = ['localhost', 'localhost:5000', '127.0.0.1', '127.9.9.9:80', '[::1]:5000', 'a.localhost']
  const not = ['localhost.example', '127.0.0.1.example', '10.0.0.1', '1127.0.0.1', '[::2]', 'xlocalhost', '0.0.0.0']
  expect([here.filter(host => !isLoopback(host)), not.filter(isLoopback)]).toEqual([[], []])
})
