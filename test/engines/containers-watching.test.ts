/** Real engines under watch: Docker and Podman at once, killed and started again. */
import { expect, onTestFinished, test } from 'vitest'
import { daemonSource, type Watching, watchEngines } from '../../src/engine/watching.ts'
import { until } from '../harness/command.ts'
import { importBusybox } from '../harness/engine-images.ts'
import { startDocker, startPodman, type TestEngine } from '../harness/engines.ts'

test('containers of two engines, what others do to them, and a daemon that is killed and comes back', async () => {
  const docker = await started(startDocker())
  const podman = await started(startPodman())
  const watching = watchEngines(
    [docker, podman].map((engine, at) => {
      const address = { kind: 'unix', path: engine.socket } as const
      return daemonSource({ name: ['docker', 'podman'][at], origin: 'test', asked: true, address }, { env: {} })
    }),
  )
  onTestFinished(() => watching.close())
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
