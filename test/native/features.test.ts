/** What the helper says of this machine. */
import { expect, test } from 'vitest'
import { helper } from './helper.ts'
import { outputOf } from './room.ts'
import { asEverybody } from './suite.ts'

asEverybody('features', (room, kind) => {
  test('one line of JSON that says who can do what', async () => {
    const said = JSON.parse(outputOf(await helper(room().who, ['features']))) as Record<string, unknown>
    expect(said).toMatchObject({
      root: kind === 'root',
      userNamespaces: true,
      userNamespacesWhyNot: null,
      subIds: kind === 'sub-ids',
      mounts: true,
      overlay: { mounts: true, whiteouts: true },
      pidfd: true,
      openat2: true,
    })
    expect(said.uids).toBe(kind === 'sub-ids' ? 65_537 : 1)
    expect(['unified', 'hybrid', 'v1', 'none']).toContain(said.cgroups)
    const able = kind === 'root' && said.cgroups !== 'none'
    expect([said.limits, said.freezes]).toEqual([able ? ['memory', 'cpu', 'pids'] : [], able])
  })

  test('what is no verb, and what lacks its arguments, is a usage error', async () => {
    for (const args of [[], ['no-verb'], ['run'], ['unpack'], ['diff', 'a', 'b']])
      expect((await helper(room().who, args)).code).toBe(2)
  })
})
