/** A program's streams on every way to an engine: TLS and ssh carry them as a socket does, the end of input too. */
import { expect, onTestFinished, test } from 'vitest'
import { type Engine, findEngines } from '../../src/engine/engine.ts'
import { importBusybox } from '../harness/engine-images.ts'
import { freePort, startDocker } from '../harness/engines.ts'
import { startSshd } from '../harness/sshd.ts'
import { makeCertificates } from '../harness/tls.ts'

test('input, its end, what comes after it, exit codes, letting go: through TLS and through ssh', async () => {
  const port = await freePort()
  let certificates = ''
  const docker = await startDocker({
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
  onTestFinished(docker.stop)
  await importBusybox(docker)
  await docker.cli('run', '-d', '--name', 'web', '--network', 'none', 'busybox:test', 'sleep', '1000')
  const sshd = await startSshd()
  onTestFinished(sshd.stop)
  const tls = { DOCKER_HOST: `tcp://127.0.0.1:${port}`, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: certificates }
  const ssh = {
    PATH: `${sshd.bin}:${process.env.PATH}`,
    DOCKER_HOST: `ssh://root@127.0.0.1:${sshd.port}${docker.socket}`,
  }
  for (const env of [tls, ssh]) {
    const { engines, failures } = await findEngines({
      env: { PATH: process.env.PATH, ...env },
      home: docker.scratch.folder('nobody'),
      uid: 0,
      root: docker.scratch.path,
    })
    expect(failures).toEqual([])
    const [engine] = engines
    onTestFinished(() => engine.close())
    expect(engine.containers.capabilities.local).toBe(false)
    expect(await counted(engine)).toEqual(['3000000\nafter\n', 4])
    const left = await engine.containers.exec('web', { command: ['sleep', '1000'] })
    left.close()
    expect(await left.ended).toBe(null)
    const typed = await engine.containers.exec('web', { command: ['sh'], tty: true, stdin: true })
    await typed.resize(90, 20)
    typed.input!.write('stty size; exit 6\n')
    let output = ''
    for await (const chunk of typed.output) output += chunk
    expect(output).toContain('20 90')
    expect(await typed.ended).toBe(6)
  }
})

async function counted({ containers }: Engine): Promise<[string, number | null]> {
  const session = await containers.exec('web', { command: ['sh', '-c', 'wc -c; echo after; exit 4'], stdin: true })
  session.input!.end(Buffer.alloc(3_000_000))
  session.errors!.resume()
  let output = ''
  for await (const chunk of session.output) output += chunk
  return [output, await session.ended]
}
