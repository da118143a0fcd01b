import { describe, expect, test } from 'vitest'
import {
  bestPlatform,
  defaultPlatform,
  formatPlatform,
  hostPlatform,
  parsePlatform,
} from '../../../src/image/platform.ts'

test.each([
  ['linux/amd64', 'linux/amd64'],
  ['linux/x86_64', 'linux/amd64'],
  ['Linux/aarch64', 'linux/arm64'],
  ['linux/arm64/v8', 'linux/arm64'],
  ['linux/arm64/8', 'linux/arm64'],
  ['linux/armhf', 'linux/arm/v7'],
  ['linux/arm', 'linux/arm/v7'],
  ['linux/armel', 'linux/arm/v6'],
  ['linux/arm/6', 'linux/arm/v6'],
  ['linux/i686', 'linux/386'],
  ['linux/amd64/v1', 'linux/amd64'],
  ['linux/amd64/v3', 'linux/amd64/v3'],
  ['macos/arm64', 'darwin/arm64'],
  ['arm64', 'linux/arm64'],
  ['windows/amd64', 'windows/amd64'],
])('%s is %s', (text, normal) => expect(formatPlatform(parsePlatform(text))).toBe(normal))

test.each(['', 'linux/', 'a/b/c/d', 'linux/am d64', 'linux/\x1b'])('%j is no platform', text => {
  expect(() => parsePlatform(text)).toThrow()
})

describe('the best of an index', () => {
  const offer = (list: string) => list.split(' ').map(one => (one === '?' ? null : parsePlatform(one)))
  test.each([
    ['linux/amd64 linux/arm64', 'linux/arm64/v8', 1],
    ['linux/amd64 linux/arm/v6 linux/arm/v7', 'linux/arm/v7', 2],
    ['linux/amd64 linux/arm/v5 linux/arm/v6', 'linux/arm/v7', 2],
    ['linux/arm/v7', 'linux/arm/v6', -1],
    ['linux/amd64 linux/arm/v7', 'linux/arm64', 1],
    ['linux/amd64 linux/amd64/v2 linux/amd64/v3', 'linux/amd64/v2', 1],
    ['linux/amd64', 'linux/amd64/v4', 0],
    ['linux/amd64/v3', 'linux/amd64', -1],
    ['unknown/unknown ? windows/amd64', 'linux/amd64', -1],
    ['linux/s390x', 'linux/amd64', -1],
  ])('%s for %s is number %i', (offered, wanted, best) => {
    expect(bestPlatform(offer(offered), parsePlatform(wanted))).toBe(best)
  })

  const host = hostPlatform({ platform: 'linux', arch: 'x64' })
  test.each([
    ['linux/arm64 linux/amd64', 1],
    ['windows/amd64 linux/s390x', 1],
    ['unknown/unknown windows/amd64', 1],
    ['?', 0],
    ['unknown/unknown', -1],
  ])('%s when nobody asked is number %i', (offered, best) => expect(defaultPlatform(offer(offered), host)).toBe(best))

  test('a Mac runs Linux containers', () => {
    expect(formatPlatform(hostPlatform({ platform: 'darwin', arch: 'arm64' }))).toBe('linux/arm64')
  })
})
