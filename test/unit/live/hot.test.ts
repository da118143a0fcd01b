/** Where a container writes, and what to do about it. */
import { expect, test } from 'vitest'
import { Kind } from '../../../src/layer/entry.ts'
import { classOf, hotDirectories } from '../../../src/live/hot.ts'
import { createLiveLayer } from '../../../src/live/live-layer.ts'

test.each([
  ['var/log/nginx', ['access.log'], 'log'],
  ['srv', ['app.log', 'app.log.1', 'error.log'], 'log'],
  ['var/lib/postgresql/16/main', ['1', '2'], 'database'],
  ['data', ['store.db', 'store.db-wal'], 'database'],
  ['root/.cache/pip', ['x'], 'cache'],
  ['tmp', ['a', 'b'], 'temp'],
  ['tmp/x', ['queue.sqlite3'], 'database'],
  ['srv/app', ['server.js', 'one.log'], 'data'],
  ['catalog', ['a.txt'], 'data'],
] as const)('%s with %j looks like %s', (directory, names, looks) => {
  expect(classOf(directory, names)).toBe(looks)
})

test('the busiest first, then what was written most, with the option that moves it', () => {
  const layer = createLiveLayer()
  const file = (path: string, size: number, written: number) => ({
    op: 'A' as const,
    path: Buffer.from(path),
    kind: Kind.file,
    size,
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime: 0,
    nsec: 0,
    written,
    lower: null,
    lowerSize: null,
    link: null,
    reasons: [],
  })
  layer.apply({ changes: [file('srv/old', 9000, 0)], notices: [], every: null }, 0)
  layer.apply(
    {
      changes: [file('tmp/a b/x', 10, 10), file('var/log/a', 3000, 3000), file('var/log/b', 3000, 3000)],
      notices: [],
      every: null,
    },
    0,
  )
  const rows = hotDirectories(layer, 'web', 0).map(
    one => `${one.path} ${one.rate} ${one.bytes} ${one.files} ${one.option}`,
  )
  expect(rows).toEqual([
    'var/log 2000 6000 2 -v web-log:/var/log',
    `tmp/a b 3.3333333333333335 10 1 --tmpfs '/tmp/a b'`,
    'srv 0 9000 1 -v web-srv:/srv',
  ])
})
