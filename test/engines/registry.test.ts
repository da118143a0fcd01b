/** Pull and push next to Debian's registry, skopeo, podman and docker: what one pushes the others pull, digests stay. */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { command } from '../harness/command.ts'
import { openScratch, type Scratch } from '../harness/engine-scratch.ts'
import { startDocker, startPodman, startRegistry, type TestRegistry } from '../harness/engines.ts'
import { archive } from '../harness/images.ts'
import { ociFiles } from '../harness/oci-layouts.ts'
import { type Run, workshop } from '../harness/strata.ts'
import { entry, tar } from '../harness/tar.ts'
import { makeCertificates } from '../harness/tls.ts'
import { startTokenServer, type TokenServer } from '../harness/token-server.ts'
import { buildHelper, helperPath } from '../native/helper.ts'

const login = { user: 'somebody', password: 'open sesame' }
const body = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 7919) % 251))
const image = {
  layers: [
    { tar: tar('dir etc', entry({ path: 'etc/big', body })), compression: 'gzip' as const },
    { tar: tar('file etc/more 1000'), compression: 'gzip' as const },
  ],
  config: { Cmd: ['/bin/true'] },
}

let scratch: Scratch
let source: string
let open: TestRegistry
beforeAll(async () => {
  scratch = await openScratch()
  source = `oci-archive:${join(scratch.path, 'app.tar')}`
  writeFileSync(join(scratch.path, 'app.tar'), archive(ociFiles([{ image, tag: 'app:1' }])))
  await makeCertificates(scratch.path)
  open = await startRegistry()
})
afterAll(async () => {
  await open?.stop()
  await scratch?.close()
})

const skopeo = (...args: string[]) => command('skopeo', args)
const insecure = ['--src-tls-verify=false', '--dest-tls-verify=false']
/** What skopeo says of an image: the digest of its manifest, and its layers. */
async function seen(name: string, ...args: string[]): Promise<{ Digest: string; Layers: string[] }> {
  return JSON.parse(await skopeo('inspect', '--tls-verify=false', ...args, `docker://${name}`))
}
const last = ({ stdout }: Run) => stdout.trim().split('\n').at(-1)

describe('as a peer', () => {
  const ways = [
    ['gzip', []],
    ['zstd', ['--dest-compress-format', 'zstd', '--format', 'oci']],
    ['Docker’s manifest', ['--format', 'v2s2']],
  ] as const
  test.for(ways)('what skopeo pushes is pulled, pushed on and pulled by skopeo with the same digests: %s', async ([
    name,
    how,
  ]) => {
    const { run } = workshop()
    const repository = `${open.address}/way${ways.findIndex(one => one[0] === name)}`
    await skopeo('copy', ...insecure, ...how, source, `docker://${repository}/app:1`)
    const { Digest, Layers } = await seen(`${repository}/app:1`)
    const pulled = await run(['pull', '--tls-verify=false', '--verify', `${repository}/app:1`])
    expect([pulled.code, pulled.stderr]).toEqual([0, ''])
    expect(pulled.stdout).toMatch(
      new RegExp(`\n[0-9a-f]{12}: Pull complete\nDigest: ${Digest}\nStatus: Downloaded newer image for`),
    )
    expect(last(await run(['pull', '-q', '--tls-verify=false', `${repository}/app@${Digest}`]))).toBe(Digest)
    expect((await run(['cat', `${repository}/app:1`, '/etc/big'])).stdout.length).toBeGreaterThan(0)
    expect(
      last(await run(['push', '-q', '--tls-verify=false', `${repository}/app:1`, `${repository}/other/app:2`])),
    ).toBe(Digest)
    expect(await seen(`${repository}/other/app:2`)).toMatchObject({ Digest, Layers })
    await skopeo('copy', ...insecure, `docker://${repository}/other/app:2`, `oci:${join(scratch.path, `back-${name}`)}`)
  })

  test('the platform of an index, all tags of a name, and what is not there', async () => {
    const { run } = workshop()
    const layer = (text: string) => ({ layers: [{ tar: tar(`file ${text} 10`), compression: 'gzip' as const }] })
    const platforms = ['amd64', 'arm64'].map(architecture => ({
      image: { ...layer(architecture), platform: { os: 'linux', architecture } },
      platform: { os: 'linux', architecture },
    }))
    writeFileSync(
      join(scratch.path, 'index.tar'),
      archive(ociFiles([{ index: platforms as never, tag: 'app:all' } as never])),
    )
    await skopeo(
      'copy',
      '--all',
      ...insecure,
      `oci-archive:${join(scratch.path, 'index.tar')}`,
      `docker://${open.address}/many/app:all`,
    )
    await skopeo('copy', ...insecure, source, `docker://${open.address}/many/app:one`)
    const arm = await run([
      'pull',
      '--platform',
      'linux/arm64',
      '--json',
      '--tls-verify=false',
      `${open.address}/many/app:all`,
    ])
    const { digest } = JSON.parse(arm.stdout)
    const raw = await skopeo('inspect', '--raw', '--tls-verify=false', `docker://${open.address}/many/app:all`)
    expect(digest).toBe(`sha256:${createHash('sha256').update(raw).digest('hex')}`)
    expect((await run(['tree', `${open.address}/many/app:all`])).stdout).toMatch(/arm64/)
    const all = await run(['pull', '--all-tags', '-q', '--tls-verify=false', `${open.address}/many/app`])
    expect([all.code, all.stdout.trim().split('\n').length]).toEqual([0, 2])
    const none = await run(['pull', '--tls-verify=false', `${open.address}/many/app:none`])
    expect([none.code, none.stderr]).toEqual([
      1,
      `strata: ${open.address} does not have the manifest of ${open.address}/many/app:none: manifest unknown.\n`,
    ])
    const tls = await run(['pull', `${open.address}/many/app:one`])
    expect([tls.code, tls.stderr]).toEqual([
      1,
      `strata: ${open.address} does not speak TLS.\nA registry of this machine may do without: --tls-verify=false\n`,
    ])
  })

  test('create pulls what is not here, says so beside its output, and not when it may not', async () => {
    buildHelper()
    const { run } = workshop()
    const env = { STRATA_NATIVE_HELPER: helperPath }
    const name = `${open.address}/create/app:1`
    await skopeo('copy', ...insecure, source, `docker://${name}`)
    const create = (...flags: string[]) =>
      run(['create', '--engine', 'native', '--tls-verify=false', ...flags, name, '/bin/true'], { env })
    const never = await create('--pull', 'never')
    expect([never.code, never.stdout]).toEqual([125, ''])
    const first = await create()
    expect([first.code, first.stdout]).toEqual([0, expect.stringMatching(/^[0-9a-f]{64}\n$/)])
    expect(first.stderr).toMatch(/^There is no image “.*” here: it is pulled\.\n(?:.*\n)*.*: Pull complete\n/)
    expect(await create()).toMatchObject({ code: 0, stderr: '' })
    expect((await create('--pull', 'always')).stderr).toMatch(/Status: Image is up to date for/)
    await run(['rm', '-f', first.stdout.trim()], { env })
  })

  test('podman pulls what we push, and we what it pushes; it pulls for us too, and docker does, with the password of its login', async () => {
    const { run, path } = workshop()
    const closed = await startRegistry(login)
    onTestFinished(() => closed.stop())
    const podman = await startPodman()
    onTestFinished(() => podman.stop())
    const docker = await startDocker()
    onTestFinished(() => docker.stop())
    await skopeo('copy', ...insecure, source, `docker://${open.address}/peer/app:1`)
    await run(['pull', '--tls-verify=false', `${open.address}/peer/app:1`])
    const file = join(path, 'auth.json')
    await skopeo(
      'login',
      '--tls-verify=false',
      '--authfile',
      file,
      '-u',
      login.user,
      '-p',
      login.password,
      closed.address,
    )
    const env = { REGISTRY_AUTH_FILE: file }
    const name = `${closed.address}/peer/app:1`
    const refused = await run(['push', '--tls-verify=false', `${open.address}/peer/app:1`, name])
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/does not let us have the blob .*\.\nNames and passwords are taken/),
    ])
    const pushed = await run(['push', '-q', '--tls-verify=false', `${open.address}/peer/app:1`, name], { env })
    expect(pushed.code).toBe(0)
    expect((await seen(name, '--authfile', file)).Digest).toBe(last(pushed))
    await podman.cliWith(env, 'pull', '--tls-verify=false', name)
    const id = (await podman.cli('images', '--no-trunc', '-q', name)).trim()
    expect((await run(['pull', '--json', '--tls-verify=false', name], { env })).stdout).toContain(id)
    await podman.cliWith(env, 'push', '--tls-verify=false', name, `${closed.address}/peer/back:1`)
    expect(
      JSON.parse((await run(['pull', '--json', '--tls-verify=false', `${closed.address}/peer/back:1`], { env })).stdout)
        .id,
    ).toBe(id)
    await podman.cli('rmi', '-f', name)
    const by = (engine: string, host: string, ...args: string[]) =>
      run([...args.slice(0, 1), '--engine', engine, '--tls-verify=false', ...args.slice(1)], {
        env: { ...env, ...(engine === 'docker' ? { DOCKER_HOST: host } : { CONTAINER_HOST: host }) },
      })
    for (const [engine, { socket, cli }] of [
      ['podman', podman],
      ['docker', docker],
    ] as const) {
      const done = await by(engine, `unix://${socket}`, 'pull', name)
      expect([engine, done.code, done.stderr]).toEqual([engine, 0, ''])
      expect(await cli('images', '--no-trunc', '-q', name)).toBe(id)
      const missing = await by(engine, `unix://${socket}`, 'pull', `${closed.address}/peer/none`)
      expect([engine, missing.code]).toEqual([engine, 1])
      expect(missing.stderr + done.stdout).not.toMatch(/sesame/)
    }
    await docker.cli('tag', name, `${closed.address}/peer/docker:1`)
    const sent = await by('docker', `unix://${docker.socket}`, 'push', `${closed.address}/peer/docker:1`)
    expect([sent.code, sent.stderr]).toEqual([0, ''])
    expect(
      (await run(['pull', '--json', '--tls-verify=false', `${closed.address}/peer/docker:1`], { env })).stdout,
    ).toContain(id)
  })
})

describe('TLS', () => {
  let registry: TestRegistry
  beforeAll(async () => {
    const [certificate, key] = ['server.pem', 'server-key.pem'].map(name => join(scratch.path, name))
    registry = await startRegistry(undefined, {
      http: `  tls:\n    certificate: ${certificate}\n    key: ${key}\n`,
      tls: true,
    })
    await skopeo('copy', ...insecure, source, `docker://${registry.address}/tls/app:1`)
  })
  afterAll(() => registry?.stop())

  test('an authority that this machine does not know; one of certs.d that it does; not verified at all', async () => {
    const { run, path } = workshop()
    const name = `${registry.address}/tls/app:1`
    const unknown = await run(['pull', name])
    expect([unknown.code, unknown.stderr]).toEqual([
      1,
      expect.stringMatching(
        /^strata: The certificate of \S+ is signed by nobody that this machine trusts\.\nIts authority/,
      ),
    ])
    const folder = join(path, '.config/containers/certs.d', registry.address)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'ca.crt'), readFileSync(join(scratch.path, 'ca.pem')))
    expect((await run(['pull', name])).code).toBe(0)
    expect((await workshop().run(['pull', '--tls-verify=false', name])).code).toBe(0)
    expect((await run(['push', name, `${registry.address}/tls/app:2`])).code).toBe(0)
  })
})

describe('tokens', () => {
  let tokens: TokenServer
  let registry: TestRegistry
  beforeAll(async () => {
    tokens = await startTokenServer(scratch.path, login)
    registry = await startRegistry(undefined, { auth: tokens.auth })
  })
  afterAll(async () => {
    await registry?.stop()
    await tokens?.stop()
  })

  test('anonymous for what is open, with a name for the rest; scopes name what is done, and no more', async () => {
    const { run, path, put } = workshop()
    const config = {
      auths: { [registry.address]: { auth: Buffer.from(`${login.user}:${login.password}`).toString('base64') } },
    }
    mkdirSync(join(path, 'docker'))
    put('docker/config.json', Buffer.from(JSON.stringify(config)))
    const env = { DOCKER_CONFIG: join(path, 'docker') }
    const name = (repository: string) => `${registry.address}/${repository}/app:1`
    put('app.tar', readFileSync(join(scratch.path, 'app.tar')))
    await run(['load', '-i', 'app.tar'])
    for (const repository of ['open', 'closed'])
      expect(await run(['push', '--tls-verify=false', 'app:1', name(repository)], { env })).toMatchObject({
        code: 0,
        stderr: '',
      })
    expect(tokens.asked.map(one => one.scopes.join(' '))).toContain(
      'repository:closed/app:pull,push repository:open/app:pull',
    )
    tokens.asked.length = 0
    const anybody = workshop()
    expect((await anybody.run(['pull', '--tls-verify=false', name('open')])).code).toBe(0)
    expect(tokens.asked).toEqual([{ scopes: ['repository:open/app:pull'], authorization: undefined }])
    const refused = await anybody.run(['pull', '--tls-verify=false', name('closed')])
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/does not let us have the manifest/)])
    expect((await anybody.run(['pull', '--tls-verify=false', name('closed')], { env })).code).toBe(0)
    const wrong = await anybody.run(['pull', '--tls-verify=false', name('closed')], {
      env: {
        ...env,
        STRATA_DEBUG: '1',
        DOCKER_CONFIG: put(
          'wrong',
          new Map([
            [
              'config.json',
              Buffer.from(
                JSON.stringify({ auths: { [registry.address]: { auth: Buffer.from('x:s3cr3t').toString('base64') } } }),
              ),
            ],
          ]),
        ),
      },
    })
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringMatching(/does not let us have a token/)])
    expect(wrong.stderr).not.toMatch(/s3cr3t|eDpzM2NyM3Q/)
  })
})
