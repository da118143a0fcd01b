/** The harness itself: an engine is gone without a trace, also when its test dies in the middle of something. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { tryCommand } from '../harness/command.ts'
import { startDocker } from '../harness/engines.ts'

test('a stopped engine leaves no process, mount, file, bridge or cgroup', async () => {
  const engine = await startDocker({ bridge: true })
  expect(traces(engine.scratch.path)).toContain('processes')
  expect(traces(engine.scratch.path)).toContain('bridge')
  await engine.stop()
  expect(traces(engine.scratch.path)).toEqual([])
})

test('an engine whose test was killed is taken away all the same', async () => {
  const harness = new URL('../harness/engines.ts', import.meta.url).href
  const program = `
    const { startDocker, startPodman } = await import(${JSON.stringify(harness)})
    const engines = [await startDocker(), await startPodman({ rootless: true })]
    console.log(engines.map(one => one.scratch.path).join(' '))
    process.kill(process.pid, 'SIGKILL')`
  const { stdout } = await tryCommand(process.execPath, ['--input-type=module', '-e', program])
  const paths = stdout.toString().trim().split(' ')
  expect(paths).toHaveLength(2)
  await expect.poll(() => paths.flatMap(traces), { timeout: 60_000 }).toEqual([])
})

/** What can be seen of a scratch folder's engine. */
function traces(path: string): string[] {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const processes = readdirSync('/proc').filter(one => /^\d+$/.test(one) && read(`/proc/${one}/cmdline`).includes(path))
  return [
    ...(existsSync(path) ? ['files'] : []),
    ...(processes.length > 0 ? ['processes'] : []),
    ...(read('/proc/self/mountinfo').includes(path) ? ['mounts'] : []),
    ...(existsSync(`/sys/class/net/st${path.slice(-6)}`) ? ['bridge'] : []),
    ...(existsSync(`/sys/fs/cgroup/memory/${name}`) || existsSync(`/sys/fs/cgroup/${name}`) ? ['cgroup'] : []),
    ...(read('/etc/passwd').includes(`st${path.slice(-6).toLowerCase()}:`) ? ['user'] : []),
  ]
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
