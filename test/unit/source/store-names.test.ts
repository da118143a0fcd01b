/** What a person calls an image, and what the engines call it; and where storage.conf says that podman keeps its images. */
import { describe, expect, test } from 'vitest'
import { parseImageName } from '../../../src/image/image-name.ts'
import { parseStorageConf } from '../../../src/source/store-conf.ts'
import { matchId, sameImageName, sameShortName } from '../../../src/source/store-names.ts'

const digest = `sha256:${'1'.repeat(64)}`
const other = `sha256:${'2'.repeat(64)}`

test.each([
  ['node:latest', 'node', true],
  ['node:latest', 'docker.io/library/node:latest', true],
  ['docker.io/library/node:20', 'node:20', true],
  ['node:20', 'node', false],
  ['me/node:latest', 'node', false],
  ['quay.io/me/node:1', 'quay.io/me/node:1', true],
  [`node@${digest}`, `node@${digest}`, true],
  [`node@${digest}`, `node:20@${digest}`, true],
  [`node@${digest}`, `node@${other}`, false],
  [`node@${digest}`, 'node', false],
  ['<none>:<none>', 'node', false],
  ['\u001b[31m', 'node', false],
])('%s is %s: %s', (stored, wanted, same) => {
  expect(sameImageName(stored, parseImageName(wanted))).toBe(same)
})

test.each([
  ['localhost/app:1', 'app:1', 'localhost', true],
  ['localhost/app:latest', 'app', 'localhost', true],
  ['localhost/me/app:1', 'app:1', 'localhost', false],
  ['quay.io/me/app:1', 'app:1', null, true],
  ['quay.io/me/app:1', 'me/app:1', null, true],
  ['quay.io/me/app:1', 'e/app:1', null, false],
  ['quay.io/me/app:1', 'docker.io/me/app:1', null, false],
  ['quay.io/me/app:1', 'quay.io/app:1', null, false],
  [`quay.io/me/app@${digest}`, 'app', null, false],
])('podman: %s is meant by %s in %s: %s', (stored, wanted, registry, same) => {
  expect(sameShortName(stored, parseImageName(wanted), registry)).toBe(same)
})

test('the first digits of an id mean the one that has them; several are an error', () => {
  const ids = [digest, other, `sha256:${'1'.repeat(63)}2`]
  expect(matchId(parseImageName('2222'), () => ids)).toBe(other)
  expect(matchId(parseImageName(digest), () => ids)).toBe(digest)
  expect(matchId(parseImageName('3333'), () => ids)).toBeNull()
  expect(matchId(parseImageName('node'), () => ids)).toBeNull()
  expect(() => matchId(parseImageName('1111'), () => ids)).toThrow('2 images have an id that starts with 1111')
})

describe('storage.conf', () => {
  const read = (text: string) => parseStorageConf(text, { HOME: '/home/me', UID: '1000' })

  test('what matters of it, with comments and variables', () => {
    const text = `# graphroot = "/not/this"
[storage]
  driver = "overlay" # the usual one
graphroot = "/var/lib/there//storage"
rootless_storage_path = '$HOME/store-\${UID}'
imagestore = ""
[storage.options]
additionalimagestores = [
  "/usr/lib/images", # read only
  '/mnt/images',
  "relative",
]
`
    expect(read(text)).toEqual({
      driver: 'overlay',
      graphRoot: '/var/lib/there/storage',
      imageStore: null,
      rootlessPath: '/home/me/store-1000',
      also: ['/usr/lib/images', '/mnt/images'],
    })
  })

  test.each([
    '',
    'graphroot',
    'graphroot = 5',
    'graphroot = "relative"',
    '\0\0',
    'driver = "../../x"',
  ])('%j says nothing', text => {
    expect(read(text)).toEqual({ driver: null, graphRoot: null, imageStore: null, rootlessPath: null, also: [] })
  })
})
