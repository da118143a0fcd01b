import { createHash } from 'node:crypto'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { formatAddress, parseHost } from '../../../src/engine/address.ts'
import { type EndpointOptions, findEndpoints } from '../../../src/engine/endpoints.ts'
import { sshArguments } from '../../../src/engine/ssh.ts'
import { scratch } from '../../harness/scratch.ts'

test.each([
  ['unix:///run/x.sock', { kind: 'unix', path: '/run/x.sock' }],
  ['unix://', { kind: 'unix', path: '/var/run/docker.sock' }],
  ['npipe:////./pipe/docker_engine', { kind: 'unix', path: '//./pipe/docker_engine' }],
  ['tcp://10.0.0.1', { kind: 'tcp', host: '10.0.0.1', port: 2375, prefix: '', tls: null }],
  ['10.0.0.1:99', { kind: 'tcp', host: '10.0.0.1', port: 99, prefix: '', tls: null }],
  ['tcp://host:80/a/b/', { kind: 'tcp', host: 'host', port: 80, prefix: '/a/b', tls: null }],
  ['tcp://[::1]:2375', { kind: 'tcp', host: '::1', port: 2375, prefix: '', tls: null }],
  ['ssh://me@box:2222', { kind: 'ssh', host: 'box', port: 2222, user: 'me', socket: null, client: 'docker' }],
  [
    'ssh://box/run/a.sock',
    { kind: 'ssh', host: 'box', port: null, user: null, socket: '/run/a.sock', client: 'docker' },
  ],
])('the host %s', (text, address) => {
  expect(parseHost(text, 'DOCKER_HOST')).toEqual(address)
})

test.each([
  ['ssh://-oProxyCommand=touch%20x', 'its host is no host name'],
  ['ssh://-oProxyCommand@box', 'its user is no user name'],
  ['ssh://%2doX@box', 'its user is no user name'],
  ['ssh://me:secret@box', 'a password does not belong there; ssh asks for it, or takes a key'],
  ['ssh://', 'it names no host'],
  ['ssh://box?x=1', 'nothing may follow the path'],
  ['tcp://me@box:1', 'a user is for ssh:// only'],
  ['fd://3', 'fd:// is no way to an engine'],
  ['tcp://a b', 'it holds a space or a control character'],
  ['tcp://x:99999', 'it is no address'],
])('the host %s is refused: %s', (text, reason) => {
  expect(() => parseHost(text, 'DOCKER_HOST')).toThrow(`: ${reason}.`)
})

test('a host is shown without its escape sequences', () => {
  expect(() => parseHost('tcp://\x1b[2J', 'DOCKER_HOST')).toThrow('DOCKER_HOST is “tcp://\\x1b[2J”')
  expect(formatAddress({ kind: 'unix', path: '/a\x07' })).toBe('unix:///a\\x07')
})

test('ssh never takes a host for an option, and asks nothing while a screen is drawn', () => {
  const address = parseHost('ssh://me@box:2222/run/user/1/a b.sock'.replace(' ', '%20'), 'x')
  if (address.kind !== 'ssh') throw new Error('no ssh')
  expect(sshArguments(address, { timeout: 9, mayAsk: false }).join(' ')).toBe(
    "-T -o ConnectTimeout=9 -o BatchMode=yes -l me -p 2222 -- box docker --host 'unix:///run/user/1/a b.sock' system dial-stdio",
  )
  expect(
    sshArguments({ ...address, socket: null, user: null, port: null }, { timeout: 9, mayAsk: true }).join(' '),
  ).toBe('-T -o ConnectTimeout=9 -- box docker system dial-stdio')
})

test('nothing is asked for where nothing is', async () => {
  expect(await found({})).toEqual([])
})

test('every socket that Docker, Podman and their desktops make is found', async () => {
  const at = await machine()
  await at.listen('var/run/docker.sock', 'run-user/docker.sock', 'home/.docker/desktop/docker.sock')
  await at.listen('home/.colima/default/docker.sock', 'home/.colima/work/docker.sock', 'home/.rd/docker.sock')
  await at.listen('run/podman/podman.sock', 'run-user/podman/podman.sock')
  await at.listen('home/.local/share/containers/podman/machine/podman.sock')
  expect(await at.found()).toEqual([
    'docker',
    'docker-rootless',
    'docker-desktop',
    'colima',
    'colima-work',
    'rancher-desktop',
    'podman',
    'podman-rootless',
    'podman-machine',
  ])
})

test('a socket that is a link to another one is the same engine', async () => {
  const at = await machine()
  await at.listen('home/.docker/run/docker.sock')
  mkdirSync(join(at.path, 'var/run'), { recursive: true })
  symlinkSync(join(at.path, 'home/.docker/run/docker.sock'), join(at.path, 'var/run/docker.sock'))
  expect(await at.found()).toEqual(['docker'])
})

test('a plain file is no socket', async () => {
  const at = await machine()
  at.write('var/run/docker.sock', '')
  expect(await at.found()).toEqual([])
})

test('--host, then --context, DOCKER_HOST, DOCKER_CONTEXT, the current context', async () => {
  const at = await machine()
  await at.listen('var/run/docker.sock')
  at.context('flag', 'tcp://flag:1')
  at.context('env', 'tcp://env:1')
  at.context('current', 'ssh://current')
  at.write('home/.docker/config.json', '{"currentContext":"current"}')
  const env = { DOCKER_HOST: 'tcp://host:1', DOCKER_CONTEXT: 'env' }
  expect(await at.places(env, { host: 'tcp://H:1', context: 'flag' })).toEqual(['--host tcp://h:1'])
  expect(await at.places(env, { context: 'flag' })).toEqual(['context flag tcp://flag:1'])
  expect(await at.places(env)).toEqual(['DOCKER_HOST tcp://host:1'])
  expect(await at.places({ DOCKER_CONTEXT: 'env' })).toEqual(['context env tcp://env:1'])
  expect(await at.places({})).toEqual(['context current ssh://current'])
  expect(await at.places({ DOCKER_CONTEXT: 'default' })).toEqual([`socket unix://${at.path}/var/run/docker.sock`])
})

test('podman is looked for beside a named Docker, and where CONTAINER_HOST says', async () => {
  const at = await machine()
  await at.listen('run/podman/podman.sock')
  expect(await at.places({ DOCKER_HOST: 'tcp://h:1' })).toEqual([
    'DOCKER_HOST tcp://h:1',
    `socket unix://${at.path}/run/podman/podman.sock`,
  ])
  expect((await at.places({ CONTAINER_HOST: 'ssh://box/run/podman/podman.sock' }))[0]).toBe(
    'CONTAINER_HOST ssh://box/run/podman/podman.sock',
  )
})

test('a context brings its certificates and its will to check the server', async () => {
  const at = await machine()
  at.context('tls', 'tcp://h:2376', { SkipTLSVerify: true })
  for (const name of ['ca', 'cert', 'key']) at.write(`home/.docker/contexts/tls/${sha('tls')}/docker/${name}.pem`, name)
  const { endpoints } = await at.find({}, { context: 'tls' })
  expect(endpoints[0].address).toMatchObject({ tls: { ca: 'ca', cert: 'cert', key: 'key', verify: false } })
})

test('DOCKER_TLS_VERIFY takes its certificates from DOCKER_CERT_PATH, and the port is 2376 then', async () => {
  const at = await machine()
  at.write('certs/ca.pem', 'CA')
  const env = { DOCKER_HOST: 'tcp://h', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: join(at.path, 'certs') }
  const { endpoints } = await at.find(env)
  expect(endpoints[0].address).toMatchObject({ port: 2376, tls: { ca: 'CA', cert: null, verify: true } })
  const { endpoints: plain } = await at.find({ DOCKER_HOST: 'tcp://h' })
  expect(plain[0].address).toMatchObject({ port: 2375, tls: null })
})

test('an unknown context and a broken config are failures with a sentence; podman is found all the same', async () => {
  const at = await machine()
  await at.listen('run/podman/podman.sock', 'var/run/docker.sock')
  const unknown = await at.find({ DOCKER_CONTEXT: 'no\x1bpe' })
  expect(unknown.failures[0].fault.message).toBe('The Docker context “no\\x1bpe” does not exist.')
  expect(unknown.endpoints.map(one => one.name)).toEqual(['podman'])
  at.write('home/.docker/config.json', '{"currentContext":')
  expect((await at.find({})).failures[0].fault.message).toContain(
    'config.json can not be read: its file is not what Docker writes',
  )
  at.context('odd', null)
  expect((await at.find({ DOCKER_CONTEXT: 'odd' })).failures[0].fault.message).toBe(
    'The Docker context “odd” can not be read: its file is not what Docker writes.',
  )
})

const sha = (text: string) => createHash('sha256').update(text).digest('hex')

/** A machine of folders: its root, the person's home and runtime folder. */
async function machine() {
  const { path } = scratch()
  const write = (name: string, content: string) => {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), content)
  }
  const find = (env: Record<string, string>, options: EndpointOptions = {}) =>
    findEndpoints(
      { env: { XDG_RUNTIME_DIR: join(path, 'run-user'), ...env }, home: join(path, 'home'), uid: 7, root: path },
      options,
    )
  return {
    path,
    write,
    find,
    context: (name: string, host: string | null, more = {}) =>
      write(
        `home/.docker/contexts/meta/${sha(name)}/meta.json`,
        JSON.stringify({ Name: name, Endpoints: { docker: { Host: host, ...more } } }),
      ),
    async listen(...names: string[]) {
      for (const name of names) {
        mkdirSync(dirname(join(path, name)), { recursive: true })
        const server = createServer()
        await new Promise<void>(resolve => server.listen(join(path, name), resolve))
        onTestFinished(() => new Promise(resolve => server.close(() => resolve())))
      }
    },
    found: async (env: Record<string, string> = {}) => (await find(env)).endpoints.map(one => one.name),
    places: async (env: Record<string, string>, options?: EndpointOptions) =>
      (await find(env, options)).endpoints.map(one => `${one.origin} ${formatAddress(one.address)}`),
  }
}

async function found(env: Record<string, string>): Promise<string[]> {
  return (await machine()).found(env)
}
