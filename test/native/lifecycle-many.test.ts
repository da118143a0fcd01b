/** Two hundred containers at once, and what is left on the machine afterwards. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { until } from '../harness/command.ts'
import { containersOf, readLog } from './containers.ts'
import { asEverybody } from './suite.ts'

const sanitized = process.env.STRATA_NATIVE === 'sanitized'
const many = sanitized ? 20 : 200

/** The unified tree's and all others' directories that belong to containers of this test. */
function cgroups(ids: string[]): string[] {
  const known = new Set(ids)
  const found: string[] = []
  const visit = (folder: string, depth: number) => {
    if (depth > 6) return
    for (const name of readdirSync(folder, { withFileTypes: true })) {
      if (!name.isDirectory()) continue
      if (known.has(name.name)) found.push(join(folder, name.name))
      else visit(join(folder, name.name), depth + 1)
    }
  }
  visit('/sys/fs/cgroup', 0)
  return found
}

function processesOf(root: string): string[] {
  return readdirSync('/proc').filter(pid => {
    if (!/^\d+$/.test(pid)) return false
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(root)
    } catch {
      return false
    }
  })
}

asEverybody('many', room => {
  test(`${many} at once: started, all of them running, stopped, removed, nothing left`, {
    timeout: 120_000,
  }, async () => {
    const c = containersOf(room())
    const bundles = Array.from({ length: many }, () =>
      room().bundle({ args: ['sh', '-c', 'trap "exit 9" TERM; echo up; read x'] }),
    )
    const ids = bundles.map((_, i) => `many${i}-${process.pid}`)
    const all = (words: (id: string, i: number) => string[]) => Promise.all(ids.map((id, i) => c.say(...words(id, i))))
    await all((id, i) => ['run', '--detach', ...c.options(bundles[i]), id])
    const states = (await c.say('list')).split('\n').map(line => JSON.parse(line) as { id: string; status: string })
    expect(states.filter(({ id, status }) => ids.includes(id) && status === 'running').length).toBe(many)
    await Promise.all(bundles.map(bundle => until(() => readLog(join(bundle, 'log')).length === 1)))
    await all(id => ['kill', id, 'TERM'])
    const ends = await all(id => ['wait', id])
    expect(ends.map(end => (JSON.parse(end) as { exitCode: number }).exitCode)).toEqual(ids.map(() => 9))
    await all(id => ['delete', id])
    expect(readdirSync(c.root)).toEqual([])
    expect(cgroups(ids)).toEqual([])
    expect(processesOf(c.root)).toEqual([])
    expect(readFileSync('/proc/self/mountinfo', 'latin1')).not.toContain(room().path)
  })
})
