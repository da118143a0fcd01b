/** Real engines under watch: Docker and Podman at once, killed and started again. */
import { existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { watchSockets } from '../../src/engine/new-sockets.ts'
import { daemonSource, type Watching, watchEngines } from '../../src/engine/watching.ts'
import { until } from '../harness/command.ts'
import { importBusybox } from '../harness/engine-images.ts'
import { startDocker, startPodman, type TestEngine } from '../harness/engines.ts'

test('containers of two engines, one started late, what others do to them, and a daemon that is killed and comes back', async () => {
  const docker = await started(startDocker())
  const late = join(docker.scratch.path, 'late', 'podman.sock')
  const sockets = { docker: docker.socket, podman: late }
  const find = async () =>
    Object.entries(sockets)
      .filter(([, path]) => existsSync(path))
      .map(([name, path]) => {
        const address = { kind: 'unix', path } as const
        return daemonSource({ name, origin: 'test', asked: false, address }, { env: {} })
      })
  const onChange = (told: () => void) => watchSockets(Object.values(sockets), told)
  const watching = watchEngines(await find(), {}, { find, onChange })
  onTestFinished(() => watching.close())
  await shown(watching, ['docker ok:'])
  const podman = await started(startPodman())
  mkdirSync(dirname(late))
  symlinkSync(podman.socket, late)
  await shown(watching, ['docker ok:', 'podman ok:'])

  for (const engine of [docker, podman])
    await engine.cli('run', '-d', '--name', 'web', '--network', 'none', 'busybox:test', 'sleep', '1000')
  await shown(watching, ['docker ok: web running', 'podman ok: web running'])
  await docker.cli('rename', 'web', 'api')
  await podman.cli('kill', 'web')
  await shown(watching, ['docker ok: api running', 'podman ok: web exited'])

  const told: string[] = []
  watching.onEvent((id, event) => told.push(`${id} ${event.action} ${event.name}`))
  await docker.crash()
  await shown(watching, ['docker lost, stale: api running', 'podman ok: web exited'])
  await podman.cli('rm', 'web')
  await shown(watching, ['docker lost, stale: api running', 'podman ok:'])
  await docker.again()
  await until(() => watching.snapshot()[0].health.state === 'ok')
  // Without live-restore the daemon ends what it finds running.
  await shown(watching, ['docker ok: api exited', 'podman ok:'])
  await docker.cli('start', 'api')
  await shown(watching, ['docker ok: api running', 'podman ok:'])
  expect(told).toEqual(expect.arrayContaining(['podman destroy web', 'docker start api']))

  const api = watching.snapshot()[0].engine!.containers
  await api.remove('api', { force: true })
  await shown(watching, ['docker ok:', 'podman ok:'])
  await podman.crash()
  await shown(watching, ['docker ok:', 'podman lost, stale:'])
  await podman.again()
  await shown(watching, ['docker ok:', 'podman ok:'])
})

async function started(starting: Promise<TestEngine>): Promise<TestEngine> {
  const engine = await starting
  onTestFinished(engine.stop)
  await importBusybox(engine)
  return engine
}

async function shown(watching: Watching, wanted: string[]): Promise<void> {
  await until(() => JSON.stringify(states(watching)) === JSON.stringify(wanted), {
    within: 30_000,
    failure: () => `${JSON.stringify(states(watching))} instead of ${JSON.stringify(wanted)}`,
  })
}

/** `docker ok: web running, db exited` */
function states(watching: Watching): string[] {
  return watching.snapshot().map(({ id, health, stale, containers }) => {
    const rows = containers.map(one => ` ${one.name} ${one.state}`).join(',')
    return `${id} ${health.state}${stale ? ', stale' : ''}:${rows}`
  })
}
