/** The upper layer of a container (LAYERS.md), and the same operations as a real `docker diff` saw them. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { tar } from '../harness/tar.ts'
import { layersOf } from './docker-archive.ts'
import { outputOf } from './room.ts'
import { asEverybody } from './suite.ts'

asEverybody('diff', (room, kind) => {
  test.each([
    ['nothing', 'true', []],
    ['a new file', 'touch /new', ['A /new']],
    ['a new file in a directory', 'touch /data/new', ['C /data', 'A /data/new']],
    ['a new directory lists what is in it', 'mkdir /n; touch /n/a /n/b', ['A /n', 'A /n/a', 'A /n/b']],
    ['a file written to', 'echo more >> /data/f', ['C /data', 'C /data/f']],
    ['a mode', 'chmod 600 /data/f', ['C /data', 'C /data/f']],
    ['a copy-up that changes nothing', 'chmod 644 /data/f; true >> /data/f', []],
    ['a file removed', 'rm /data/f', ['C /data', 'D /data/f']],
    ['a directory removed: what was in it is not told', 'rm -r /data', ['D /data']],
    ['a file made and removed', 'touch /data/x; rm /data/x', []],
    ['a file moved', 'mv /data/f /data/g', ['C /data', 'D /data/f', 'A /data/g']],
    [
      'a directory removed and made again',
      'rm -r /data; mkdir /data; touch /data/new',
      ['C /data', 'D /data/deep', 'D /data/f', 'A /data/new'],
    ],
    [
      'a directory made again in one that was made again: what it had is removed too',
      'rm -r /data; mkdir -p /data/deep/er; touch /data/deep/er/new',
      ['C /data', 'C /data/deep', 'C /data/deep/er', 'D /data/deep/er/f', 'A /data/deep/er/new', 'D /data/f'],
    ],
    [
      'a file that becomes a directory',
      'rm /data/f; mkdir /data/f; touch /data/f/x',
      ['C /data', 'C /data/f', 'A /data/f/x'],
    ],
    ['a directory that becomes a file', 'rm -r /data/deep; touch /data/deep', ['C /data', 'C /data/deep']],
    ['a mode of a directory', 'chmod 700 /data/deep', ['C /data', 'C /data/deep']],
    ['deep down', 'touch /data/deep/er/x', ['C /data', 'C /data/deep', 'C /data/deep/er', 'A /data/deep/er/x']],
  ])('%s', async (_, script, expected) => {
    const { layers } = room()
    await room().add(
      tar('dir data\nfile data/f 10 0644 mtime=1000\ndir data/deep\ndir data/deep/er\nfile data/deep/er/f 1'),
    )
    try {
      const result = await room().run({ args: ['sh', '-c', script] })
      expect(outputOf(result)).toBe('')
      expect((await room().diff()).sort(byPath)).toEqual(expected)
    } finally {
      layers.shift()
    }
  })

  test('a name that is not UTF-8 comes whole, control characters escaped', async () => {
    const bundle = room().bundle({ args: ['sh', '-c', 'touch "$(printf "/a\\377b\\033")"'] })
    const { helper } = await import('./helper.ts')
    expect((await helper(room().who, ['run', '--foreground', '--bundle', bundle, 'x'])).code).toBe(0)
    const result = await helper(room().who, ['diff', '--lower', room().layers[0], join(bundle, 'upper')])
    const line = result.stdout.toString()
    expect(line).not.toMatch(/\x1b/)
    const { path, pathBase64 } = JSON.parse(line)
    expect([path, Buffer.from(pathBase64, 'base64').toString('latin1')]).toEqual(['/a\ufffdb\x1b', '/a\xffb\x1b'])
  })

  const corpora = join(fileURLToPath(new URL('../../../shared/corpora', import.meta.url)))
  describe.skipIf(!existsSync(corpora))('27 operations on which a real docker diff was asked', async () => {
    const { scenarios } = existsSync(corpora)
      ? (JSON.parse(readFileSync(join(corpora, 'expected/overlay-diff.json'), 'utf8')) as { scenarios: Scenario[] })
      : { scenarios: [] }
    test.for(scenarios.map(scenario => [scenario.id, scenario] as const))('%s', async ([, scenario]) => {
      // No user namespace of one id can give a file to somebody else.
      if (kind === 'single id' && /chown/.test(scenario.cmd)) return
      const own = room().layers.splice(0)
      try {
        for (const layer of layersOf(join(corpora, 'overlay-base-image.tar')))
          expect((await room().add(layer)).code).toBe(0)
        const result = await room().run({ args: ['/bin/sh', '-c', scenario.cmd], cwd: '/t' })
        expect(result.code).toBe(scenario.exit)
        const found = (await room().diff()).sort()
        const only = (lines: string[], letters: string) => lines.filter(line => letters.includes(line[0])).sort()
        expect(only(found, 'AD')).toEqual(only(scenario.docker_diff, 'AD'))
        expect(only(found, 'C')).toEqual(expect.arrayContaining(only(scenario.tree, 'C')))
        expect(only(found, 'C').filter(line => !scenario.upper_diff.includes(line))).toEqual([])
      } finally {
        room().layers.splice(0, Number.POSITIVE_INFINITY, ...own)
      }
    })
  })
})

interface Scenario {
  id: string
  cmd: string
  exit: number
  docker_diff: string[]
  tree: string[]
  upper_diff: string[]
}

function byPath(a: string, b: string): number {
  return a.slice(2) < b.slice(2) ? -1 : 1
}
