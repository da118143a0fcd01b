/** What a container has changed as lines of a Dockerfile: what is said, what is left to packages, what can not be said. */
import { describe, expect, test } from 'vitest'
import { Kind } from '../../../src/layer/entry.ts'
import { asDockerfile } from '../../../src/live/as-dockerfile.ts'
import type { LiveChange } from '../../../src/runtime/upper-watch.ts'

const directory = { kind: Kind.dir, mode: 0o755 } as const

function change(op: LiveChange['op'], path: string | Uint8Array, more: Partial<LiveChange> = {}): LiveChange {
  const blank = { size: 1, mode: 0o644, uid: 0, gid: 0, mtime: 0, nsec: 0, written: 0, lower: null, lowerSize: null }
  return { op, path: Buffer.from(path), kind: Kind.file, reasons: [], link: null, ...blank, ...more }
}

async function lines(changes: LiveChange[], files: Record<string, string> = {}, watched = true): Promise<string[]> {
  const read = async (path: string) => files[path] ?? null
  const all = await asDockerfile(changes, { container: 'web', image: 'node:24', watched, read })
  const from = all.indexOf('FROM node:24')
  return all.slice(from + 1)
}

describe('a change', () => {
  test('of a file is copied, with its owner; names that a shell or Docker would read are taken as they are', async () => {
    const odd = change('A', 'srv/a b[1]$x', { uid: 7, gid: 8 })
    expect(await lines([change('C', 'etc/app.conf', { reasons: ['content'] }), odd])).toEqual([
      'COPY files/etc/app.conf /etc/app.conf',
      String.raw`COPY --chown=7:8 ["files/srv/a b[[]1]\\$x","/srv/a b[1]\\$x"]`,
    ])
  })

  test('that only concerns mode or owner copies nothing', async () => {
    const mode = (path: string) => change('C', path, { mode: 0o600, reasons: ['mode'] })
    const owner = change('C', 'c', { uid: 5, gid: 6, reasons: ['owner'] })
    expect(await lines([mode('a'), mode('b'), owner])).toEqual(['RUN chown 5:6 /c', 'RUN chmod 0600 /a /b'])
  })

  test('a whole new directory is copied at once; another owner in it makes single files', async () => {
    const tree = [change('A', 'opt', directory), change('A', 'opt/x', directory), change('A', 'opt/x/f')]
    expect(await lines([...tree, change('A', 'opt-b')])).toEqual(['COPY files/opt/ /opt/', 'COPY files/opt-b /opt-b'])
    expect(await lines([...tree, change('A', 'opt/g', { uid: 3, gid: 3 })])).toEqual([
      'COPY --chown=3:3 files/opt/g /opt/g',
      'COPY files/opt/x/ /opt/x/',
    ])
  })

  test('what is deleted goes first, without what lay in it; another type is deleted before it is made', async () => {
    const changes = [change('D', 'd', directory), change('D', 'd/inside'), change('C', 'e', { reasons: ['type'] })]
    expect(await lines(changes)).toEqual(['RUN rm -rf /d /e', 'COPY files/e /e'])
  })

  test('links lead where they say, empty directories are made', async () => {
    const link = change('A', 'l', { kind: Kind.symlink, link: Buffer.from("it's") })
    const made = change('A', 'empty', { ...directory, mode: 0o1777 })
    expect(await lines([link, made])).toEqual([
      'RUN mkdir -p /empty',
      String.raw`RUN ln -sfn 'it'\''s' /l`,
      'RUN chmod 1777 /empty',
    ])
  })
})

describe('packages', () => {
  test('dpkg: the line that installs them, and nothing of what they brought', async () => {
    const changes = [
      change('A', 'var/lib/dpkg/info/curl.list'),
      change('A', 'var/lib/dpkg/info/libc6:amd64.list'),
      change('C', 'var/lib/dpkg/status', { reasons: ['content'] }),
      change('A', 'usr/bin/curl'),
      change('A', 'usr/bin/mine'),
    ]
    expect(await lines(changes, { 'var/lib/dpkg/info/curl.list': '/.\n/bin/curl\n' })).toEqual([
      'RUN apt-get update \\',
      ' && apt-get install -y --no-install-recommends curl libc6 \\',
      ' && rm -rf /var/lib/apt/lists/*',
      'COPY files/usr/bin/mine /usr/bin/mine',
      '# 4 paths come with the packages.',
    ])
  })

  test('apk and pip', async () => {
    const apk = [change('C', 'lib/apk/db/installed'), change('C', 'etc/apk/world'), change('A', 'usr/bin/jq')]
    const files = {
      'lib/apk/db/installed': 'P:jq\nF:usr/bin\nR:jq\n',
      'etc/apk/world': 'alpine-base\njq<2\n; --evil $(x)\n',
    }
    expect((await lines(apk, files))[0]).toBe("RUN apk add --no-cache alpine-base 'jq<2'")
    const site = 'usr/lib/python3/site-packages'
    const pip = [change('A', `${site}/six-1.16.0.dist-info/RECORD`), change('A', `${site}/six.py`), change('A', 'x')]
    const record = { [`${site}/six-1.16.0.dist-info/RECORD`]: 'six.py,sha256=x,1\nsix-1.16.0.dist-info/RECORD,,\n' }
    expect(await lines(pip, record)).toEqual([
      'RUN pip install --no-cache-dir six==1.16.0',
      'COPY files/x /x',
      '# 2 paths come with the packages.',
    ])
  })
})

describe('what no line says is said', () => {
  test('names that are no text, pipes, logs', async () => {
    const changes = [
      change('A', Uint8Array.of(0x61, 0xff)),
      change('A', 'b\nRUN evil'),
      change('A', 'pipe', { kind: Kind.fifo }),
      change('A', 'var/log/x'),
    ]
    const all = await lines(changes)
    expect(all.every(line => line.startsWith('#'))).toBe(true)
    expect(all.join('\n')).toContain('# /pipe is a pipe')
    expect(all.join('\n')).toContain(String.raw`b\nRUN evil`)
    expect(all.join('\n')).toMatch(/looks? like logs[\s\S]*A \/var\/log\/x/)
  })

  test('an engine that tells neither owners nor reasons', async () => {
    expect(await lines([change('C', 'a')], {}, false)).toEqual(['COPY files/a /a'])
  })
})
