/** linux.sysctl and linux.devices: what belongs to the container is set, what would be the host's is refused. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { errorOf } from './helper.ts'
import { outputOf } from './room.ts'
import { asEverybody } from './suite.ts'

asEverybody('settings', room => {
  const cat = (...paths: string[]) => ['cat', ...paths.map(path => `/proc/sys/${path}`)]

  test('settings of its own network, its own messages and its own shared memory', async () => {
    const before = readFileSync('/proc/sys/kernel/msgmax', 'utf8')
    const sysctl = { 'net.ipv4.ip_forward': '1', 'kernel.msgmax': '5000', 'fs.mqueue.msg_max': '12' }
    const result = await room().run({
      args: cat('net/ipv4/ip_forward', 'kernel/msgmax', 'fs/mqueue/msg_max'),
      linux: { sysctl },
    })
    expect(outputOf(result)).toBe('1\n5000\n12')
    expect(readFileSync('/proc/sys/kernel/msgmax', 'utf8')).toBe(before)
  })

  const namespaces = ['pid', 'mount', 'ipc', 'uts'].map(type => ({ type }))

  test.each([
    ['the host', { sysctl: { 'kernel.panic': '1' } }, /^config: linux.sysctl kernel.panic would be the host's/],
    [
      'the host, by its network',
      { namespaces, sysctl: { 'net.core.somaxconn': '1' } },
      /net.core.somaxconn would be the host's/,
    ],
    ['a path', { sysctl: { 'net.../../kernel.panic': '1' } }, /there is no such name/],
    ['a slash', { sysctl: { 'net/ipv4': '1' } }, /there is no such name/],
    ['no string', { sysctl: { 'net.ipv4.ip_forward': 1 } }, /must be a string/],
    ['no object', { sysctl: 'x' }, /^config: linux.sysctl must be an object/],
    ['a value that the kernel refuses', { sysctl: { 'kernel.msgmax': 'x' } }, /^set kernel.msgmax to x: Invalid/],
    [
      'a device',
      { devices: [{ path: '/dev/fuse', type: 'c', major: 10, minor: 229 }] },
      /^config: linux.devices: \/dev\/fuse can not be had/,
    ],
  ])('%s', async (_, linux, expected) => {
    const result = await room().run({ args: ['true'], linux })
    expect([result.code, errorOf(result)]).toEqual([125, expect.stringMatching(expected)])
  })

  test('devices that are there anyway may be named', async () => {
    const devices = ['/dev/null', '/dev/tty'].map(path => ({ path, type: 'c', major: 1, minor: 3 }))
    expect((await room().run({ args: ['true'], linux: { devices } })).code).toBe(0)
  })
})
