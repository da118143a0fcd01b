/** Root's containers in a user namespace: layers and upper directory keep the ids of the image, the host sees others. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { until } from '../harness/command.ts'
import { tar } from '../harness/tar.ts'
import { containersOf } from './containers.ts'
import { errorOf, helper } from './helper.ts'
import { outputOf } from './room.ts'
import { asEverybody } from './suite.ts'

const maps = {
  uidMappings: [{ containerID: 0, hostID: 300_000, size: 65_536 }],
  gidMappings: [{ containerID: 0, hostID: 300_000, size: 65_536 }],
}

asEverybody('shifted owners', (room, kind) => {
  test.runIf(kind === 'root')(
    'inside ids are those of the layers, outside others, and the upper directory has the inside ones',
    async () => {
      await room().add(tar('dir data\nfile data/root 3 0644\nfile data/user 3 0644 1000:1000\nfile data/hidden 3 0600'))
      try {
        const script = [
          'stat -c "%u %g %n" /data/root /data/user',
          'cat /data/hidden | wc -c',
          'echo new > /data/new; chown 7:8 /data/new; echo more >> /data/user; rm /data/root; mkdir /d',
          'id -u; cat /proc/self/uid_map | tr -s " "',
          'chown 70000 /data/new 2>&1 | grep -c Invalid',
        ]
        const bundle = room().bundle({ args: ['sh', '-c', script.join('\n')], linux: maps })
        const result = await helper(room().who, ['run', '--foreground', '--bundle', bundle, 'x'])
        expect(
          outputOf(result)
            .split('\n')
            .map(line => line.trim()),
        ).toEqual(['0 0 /data/root', '1000 1000 /data/user', '3', '0', '0 300000 65536', '1'])
        expect((await room().diff()).sort()).toEqual(['A /d', 'A /data/new', 'C /data', 'C /data/user', 'D /data/root'])
        const upper = (name: string) => statSync(join(bundle, 'upper', name))
        expect([upper('data/new').uid, upper('data/new').gid, upper('data/user').uid, upper('d').uid]).toEqual([
          7, 8, 1000, 0,
        ])
        expect(statSync(join(room().layers[0], 'data/root')).uid).toBe(0)
      } finally {
        room().layers.shift()
      }
    },
  )

  test.runIf(kind === 'root')(
    'outside the processes are nobody we know, and nothing of the host is theirs',
    async () => {
      const c = containersOf(room())
      const id = await c.run({ args: ['sh', '-c', 'id -u; while :; do sleep 0.1; done'], linux: maps })
      const { pid } = await c.state(id)
      await until(() => c.log(id).length > 0)
      expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^Uid:\t300000\t300000\t300000\t300000$/m)
      expect(
        await c.say('exec', id, 'sh', '-c', 'touch /mine; stat -c %u /mine; cat /proc/1/mem 2>&1 | wc -c'),
      ).toMatch(/^0\n/)
      await c.say('pause', id)
      await c.say('resume', id)
      await c.say('kill', id, 'KILL')
      expect((await c.ended(id)).strata.exitCode).toBe(137)
    },
  )

  test.runIf(kind === 'root')(
    'without upper directory nothing can be written; upper and work apart are refused',
    async () => {
      const frozen = await room().run({
        args: ['sh', '-c', 'touch /x 2>/dev/null || echo refused'],
        linux: maps,
        frozen: true,
      })
      expect(outputOf(frozen)).toBe('refused')
      const apart = await room().run({ args: ['true'], linux: maps, overlay: { work: '/tmp' } })
      expect([apart.code, errorOf(apart)]).toEqual([
        125,
        'config: with a user namespace strata.overlay.upper and work must lie in one directory',
      ])
      expect(existsSync('/tmp/work')).toBe(false)
    },
  )

  test.runIf(kind === 'root')("a volume of the host is nobody's, and can not be written", async () => {
    const c = containersOf(room())
    const volume = { destination: '/volume', type: 'bind', source: room().path, options: ['rbind', 'ro'] }
    const proc = { destination: '/proc', type: 'proc', source: 'proc' }
    const id = await c.run({
      args: ['sh', '-c', 'stat -c %u /volume; touch /volume/x 2>/dev/null || echo refused'],
      linux: maps,
      top: { mounts: [proc, volume] },
    })
    await c.ended(id)
    expect(
      c
        .log(id)
        .filter(line => line.stream === 'stdout')
        .map(line => line.log),
    ).toEqual(['65534\n', 'refused\n'])
  })
})
