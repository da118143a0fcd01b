/** The ways to a real engine: sockets, DOCKER_HOST, contexts, TLS, ssh; and what is said where there is none. */
import { chmodSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type FindOptions, findEngines } from '../../src/engine/engine.ts'
import { engineResolver } from '../../src/engine/resolve.ts'
import { openImage } from '../../src/source/open.ts'
import { command } from '../harness/command.ts'
import { importBusybox } from '../harness/engine-images.ts'
import { dockerClient, freePort, startDocker, type TestEngine } from '../harness/engines.ts'
import { startSshd } from '../harness/sshd.ts'
import { makeCertificates } from '../harness/tls.ts'

let docker: TestEngine
let port: number
let certificates: string

beforeAll(async () => {
  port = await freePort()
  docker = await startDocker({
    args: scratch => {
      certificates = scratch.folder('certificates')
      return [
        '--tlsverify',
        `--tlscacert=${certificates}/ca.pem`,
        `--tlscert=${certificates}/server.pem`,
        `--tlskey=${certificates}/server-key.pem`,
        `--host=tcp://127.0.0.1:${port}`,
      ]
    },
    before: () => makeCertificates(certificates),
  })
})

afterAll(() => docker?.stop())

test('through the socket that DOCKER_HOST names', async () => {
  expect(await ways({ DOCKER_HOST: `unix://${docker.socket}` })).toEqual(['docker DOCKER_HOST 20.10'])
})

test('through TLS with the certificates of DOCKER_CERT_PATH', async () => {
  const env = { DOCKER_HOST: `tcp://127.0.0.1:${port}`, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: certificates }
  expect(await ways(env)).toEqual(['docker DOCKER_HOST 20.10'])
})

test('a server that nobody vouches for is refused, unless its proof is not wanted', async () => {
  const folder = docker.scratch.folder('no-authority')
  for (const name of ['cert.pem', 'key.pem']) await command('cp', [join(certificates, name), folder])
  const env = { DOCKER_HOST: `tcp://127.0.0.1:${port}`, DOCKER_CERT_PATH: folder }
  expect(await ways({ ...env, DOCKER_TLS_VERIFY: '1' })).toEqual([
    `docker at tcp://127.0.0.1:${port}: unable to verify the first certificate. → The engine wants TLS with certificates: DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH, or a Docker context.`,
  ])
  expect(await ways({ ...env, DOCKER_TLS: '1' })).toEqual(['docker DOCKER_HOST 20.10'])
})

test('without a certificate of one’s own, or without TLS, the hint says what is missing', async () => {
  const [plain] = await ways({ DOCKER_HOST: `tcp://127.0.0.1:${port}` })
  expect(plain).toContain('The engine refused: Client sent an HTTP request to an HTTPS server.')
  const folder = docker.scratch.folder('authority')
  await command('cp', [join(certificates, 'ca.pem'), folder])
  const [stranger] = await ways({
    DOCKER_HOST: `tcp://127.0.0.1:${port}`,
    DOCKER_TLS_VERIFY: '1',
    DOCKER_CERT_PATH: folder,
  })
  expect(stranger).toContain('→ The engine wants TLS with certificates')
})

test('through contexts that Docker’s own command line made: a socket, TLS, the current one', async () => {
  const config = docker.scratch.folder('contexts')
  const cli = (...args: string[]) =>
    command(dockerClient, args, { env: { ...process.env, DOCKER_CONFIG: config, DOCKER_HOST: '' } })
  const pem = (name: string) => `${name === 'ca' ? 'ca' : name}=${join(certificates, `${name}.pem`)}`
  await cli('context', 'create', 'local', '--docker', `host=unix://${docker.socket}`)
  await cli(
    'context',
    'create',
    'secure',
    '--docker',
    `host=tcp://127.0.0.1:${port},${['ca', 'cert', 'key'].map(pem).join(',')}`,
  )
  expect(await ways({ DOCKER_CONFIG: config }, { context: 'local' })).toEqual(['local context local 20.10'])
  expect(await ways({ DOCKER_CONFIG: config, DOCKER_CONTEXT: 'secure' })).toEqual(['secure context secure 20.10'])
  await cli('context', 'use', 'secure')
  expect(await ways({ DOCKER_CONFIG: config })).toEqual(['secure context secure 20.10'])
})

test('through ssh: a real sshd, the user’s own ssh and its configuration', async () => {
  const sshd = await startSshd()
  onTestFinished(sshd.stop)
  const env = {
    PATH: `${sshd.bin}:${process.env.PATH}`,
    DOCKER_HOST: `ssh://root@127.0.0.1:${sshd.port}${docker.socket}`,
  }
  expect(await ways(env)).toEqual(['docker DOCKER_HOST 20.10'])
  const wrong = { ...env, DOCKER_HOST: `ssh://nobody-here@127.0.0.1:${sshd.port}` }
  const [refused] = await ways(wrong)
  expect(refused).toContain(`ssh://nobody-here@127.0.0.1:${sshd.port}: ssh could not connect. →`)
  expect(refused).toContain('Connect once with ssh in a terminal, or load the key into ssh-agent.')
  const closed = await ways({ ...env, DOCKER_HOST: `ssh://root@127.0.0.1:${await freePort()}` })
  expect(closed[0]).toContain('Connection refused')
})

test('the children of ssh end with the engine, used or idle', async () => {
  const bin = docker.scratch.folder('bin')
  const list = join(bin, 'children')
  writeFileSync(
    join(bin, 'ssh'),
    `#!/bin/sh\necho $$ >> ${list}\nexec ${dockerClient} --host unix://${docker.socket} system dial-stdio\n`,
  )
  chmodSync(join(bin, 'ssh'), 0o755)
  const around = {
    env: { PATH: `${bin}:${process.env.PATH}`, DOCKER_HOST: 'ssh://box' },
    home: docker.scratch.path,
    uid: 0,
    root: docker.scratch.path,
  }
  const { engines } = await findEngines(around)
  const [engine] = engines
  await Promise.all([engine.images(), engine.images(), engine.info()])
  const children = (await command('cat', [list])).split('\n').map(Number)
  expect(children.length).toBeGreaterThan(1)
  engine.close()
  await expect.poll(() => children.filter(alive)).toEqual([])
})

test('a command that is not there over there, and no ssh at all', async () => {
  const bin = docker.scratch.folder('no-docker')
  writeFileSync(join(bin, 'ssh'), '#!/bin/sh\necho "sh: 1: docker: not found" >&2\nexit 127\n')
  chmodSync(join(bin, 'ssh'), 0o755)
  expect(await ways({ PATH: `${bin}:/usr/bin:/bin`, DOCKER_HOST: 'ssh://box' })).toEqual([
    'ssh://box: there is no command there that reaches its engine. → sh: 1: docker: not found',
  ])
  expect(await ways({ PATH: docker.scratch.folder('empty'), DOCKER_HOST: 'ssh://box' })).toEqual([
    'ssh://box: ssh can not be started. → Install the OpenSSH client.',
  ])
})

test('an image is found in the store that an engine has left, when none answers', async () => {
  await importBusybox(docker, 'left:1')
  const root = docker.scratch.folder('machine')
  await command('mkdir', ['-p', join(root, 'var/lib')])
  symlinkSync(docker.dataRoot, join(root, 'var/lib/docker'))
  const around = { env: {}, home: '/nonexistent', uid: 0, root }
  const image = await openImage('left:1', { engines: engineResolver(around), cache: false })
  onTestFinished(() => image.close())
  expect([image.source, image.names]).toEqual(['docker-store', ['left:1']])
  expect((await image.indexLayer(0)).entries).toBeGreaterThan(200)
  // Who names an engine means that one, and no store that happens to lie here.
  const named = { ...around, env: { DOCKER_HOST: 'unix:///nonexistent/docker.sock' } }
  await expect(openImage('left:1', { engines: engineResolver(named), cache: false })).rejects.toThrow(
    'docker at unix:///nonexistent/docker.sock: no such file or directory.',
  )
})

test('a socket that we may not open says what to do', async () => {
  const child = await command(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `process.setgid(65534); process.setuid(65534)
      const { findEngines } = await import(${JSON.stringify(new URL('../../src/engine/engine.ts', import.meta.url).href)})
      const { failures } = await findEngines({ env: { DOCKER_HOST: 'unix://${docker.socket}' }, home: '/', uid: 65534, root: '/nowhere' })
      console.log(failures[0].fault.message, failures[0].fault.hint)`,
    ],
    { cwd: new URL('../..', import.meta.url).pathname },
  )
  expect(child).toContain('permission denied. Add yourself to the docker group')
})

/** Engines as `id origin version`, failures as `sentence → hint`. Nothing of this machine is looked at but what is given. */
async function ways(env: Record<string, string>, options: FindOptions = {}): Promise<string[]> {
  const around = {
    env: { PATH: process.env.PATH, ...env },
    home: docker.scratch.folder('nobody'),
    uid: 0,
    root: docker.scratch.path,
  }
  const { engines, failures } = await findEngines(around, options)
  for (const engine of engines) engine.close()
  const found = engines.map(engine => `${engine.id} ${engine.endpoint.origin} ${engine.version.slice(0, 5)}`)
  return [...found, ...failures.map(({ fault }) => `${fault.message} → ${fault.hint}`)]
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
