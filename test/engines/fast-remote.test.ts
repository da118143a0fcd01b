/** A daemon whose socket one may use and whose store one may not read, as a member of the docker group finds it. */
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import * as z from 'zod'
import { checks } from '../../src/cli/doctor-checks.ts'
import { createServices } from '../../src/cli/services.ts'
import { openOptions } from '../../src/cli/target.ts'
import { connectEngine } from '../../src/engine/client.ts'
import { openImage } from '../../src/source/open.ts'
import { createExplorer } from '../../src/ui/explorer/explorer.ts'
import { asUser } from '../harness/as-user.ts'
import { until } from '../harness/command.ts'
import { buildImage, importBusybox } from '../harness/engine-images.ts'
import { startDocker, type TestEngine } from '../harness/engines.ts'
import { mountScreen } from '../harness/mount.tsx'
import { scratch } from '../harness/scratch.ts'
import { startSshd } from '../harness/sshd.ts'

let docker: TestEngine

beforeAll(async () => {
  docker = await startDocker()
  await importBusybox(docker)
  await buildImage(docker, {
    tag: 'app:1',
    builder: 'classic',
    dockerfile: 'FROM busybox:test\nRUN echo hi > /hello\n',
  })
  chmodSync(docker.socket, 0o666)
  chmodSync(docker.scratch.path, 0o755)
})
afterAll(() => docker?.stop())

/** From now on the test is a person with a home and no rights but that to the socket. */
function asPerson(): void {
  const home = scratch().path
  chmodSync(home, 0o777)
  const own = { DOCKER_HOST: `unix://${docker.socket}`, XDG_CONFIG_HOME: join(home, 'config'), HOME: home }
  withEnvironment(own)
  onTestFinished(asUser())
}

/** For the rest of the test. */
function withEnvironment(own: Record<string, string>): void {
  const before = Object.keys(own).map(name => [name, process.env[name]] as const)
  Object.assign(process.env, own)
  onTestFinished(() => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  })
}

const services = () => createServices({ cache: false })

async function sourceOf(options: Record<string, unknown> = {}): Promise<string> {
  const image = await openImage('app:1', openOptions({ cache: false, ...options }))
  await image.close()
  return image.source
}

async function explored() {
  const own = services()
  const app = await mountScreen(ui => createExplorer(ui, 'app:1'), {
    services: { open: own.open, remember: own.remember },
  })
  return app
}

const question = 'Read app:1 without an export?'

test('the screen asks once; what is answered for good holds for the command line too, and nothing is left', async () => {
  asPerson()
  expect(await sourceOf()).toBe('docker-save')
  const first = await explored()
  await first.until(question)
  await first.press('t')
  await first.until('hello')
  const second = await explored()
  await second.until(question)
  await second.press('a')
  await second.until('hello')
  const third = await explored()
  await third.until('hello')
  expect(third.text()).not.toContain(question)
  expect([await sourceOf(), await sourceOf({ fastRemote: false })]).toEqual(['docker-helper', 'docker-save'])
  expect(await docker.cli('ps', '-aq')).toBe('')
})

test('never: no container is made, and it is not asked again; the option still does it', async () => {
  asPerson()
  const first = await explored()
  await first.until(question)
  await first.press('n')
  await first.until('hello')
  const second = await explored()
  await second.until('hello')
  expect([await sourceOf(), await sourceOf({ fastRemote: true })]).toEqual(['docker-save', 'docker-helper'])
})

test('who leaves the question gets the export', async () => {
  asPerson()
  const app = await explored()
  await app.until(question)
  await app.press('esc')
  await app.until('hello')
  expect(await docker.cli('ps', '-aq')).toBe('')
})

test('through ssh', async () => {
  const sshd = await startSshd()
  onTestFinished(sshd.stop)
  withEnvironment({
    PATH: `${sshd.bin}:${process.env.PATH}`,
    DOCKER_HOST: `ssh://root@127.0.0.1:${sshd.port}${docker.socket}`,
  })
  expect([await sourceOf({ fastRemote: true }), await sourceOf({ fastRemote: false })]).toEqual([
    'docker-helper',
    'docker-save',
  ])
  expect(await docker.cli('ps', '-aq')).toBe('')
})

test('what was left by a killed run goes with the next opening, also where helpers are not allowed any more', async () => {
  asPerson()
  const client = await connectEngine(
    { name: 'x', origin: 'x', asked: true, address: { kind: 'unix', path: docker.socket } },
    { env: {} },
  )
  const body = { Image: 'app:1', Cmd: ['x'], Labels: { 'strata.helper': String(Date.now() - 3_600_000) } }
  await client.send('POST', '/containers/create', z.unknown(), { body })
  client.close()
  expect(await docker.cli('ps', '-aq')).not.toBe('')
  expect(await sourceOf()).toBe('docker-save')
  await until(async () => (await docker.cli('ps', '-aq')) === '')
})

test('doctor says what would make it fast without permission', async () => {
  asPerson()
  const findings = (await Promise.all(checks({}, new AbortController().signal))).flat()
  const store = findings.find(one => one.what === 'docker-store')
  expect(store).toMatchObject({ state: 'warn', detail: `${docker.dataRoot} can not be read: permission denied.` })
  expect(store!.mend).toContain('sudo strata')
  expect(store!.mend).toContain('--fast-remote')
  expect(findings.find(one => one.what === 'fast remote')?.detail).toContain('asked')
})
