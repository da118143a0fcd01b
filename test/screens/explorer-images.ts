/** The images that the Explorer's tests and golden frames look at. */
import { readWritten } from '../../src/image/written.ts'
import type { Image } from '../../src/source/types.ts'
import { type MemoryImageOptions, memoryImage } from '../harness/memory-image.ts'
import { entry, tar } from '../harness/tar.ts'

/** The classic story: package lists left behind, a chown that stores everything twice, a file deleted too late. */
export function classicImage(more: Partial<MemoryImageOptions> = {}) {
  const app = Array.from(
    { length: 9 },
    (_, at) => `file scripts/public/page-${at}.js ${4000 + at * 300} 0644 OWNER mtime=1700000${at}00`,
  )
  const owned = (owner: string) => app.map(line => line.replace('OWNER', owner)).join('\n')
  return memoryImage({
    layers: [
      tar(
        `
        dir bin
        file bin/busybox 900000 04755 mtime=1690000000
        hard bin/sh -> bin/busybox
        dir etc
        file etc/motd 12000
        link etc/mtab -> ../proc/self/mounts
        dir usr
        dir usr/lib
        file usr/lib/libc.so.6 1900000 0755
        link usr/lib/libc.so -> libc.so.6
        file usr/lib/libm.so.6 910000 0755
        dir tmp 01777
        dir var
        dir var/log
        char dev/null 1,3
      `,
        text('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n'),
        text('etc/group', 'root:x:0:\napp:x:1000:\n'),
        text('etc/hostname', 'localhost\n'),
      ),
      tar(`
        dir var/lib
        dir var/lib/apt
        dir var/lib/apt/lists
        file var/lib/apt/lists/deb.debian.org_main_Packages 4100000 mtime=1695000000
        file var/lib/apt/lists/lock 0
        dir usr/bin
        file usr/bin/curl 260000 0755 mtime=1694000000
      `),
      tar(
        `
        dir scripts
        dir scripts/public
        file scripts/package-lock.json 12000
        ${owned('0:0')}
        link scripts/current -> public/page-1.js
      `,
        text('scripts/server.js', server('8080', 'hello'), { mode: 0o755 }),
      ),
      tar(`
        dir scripts/node_modules
        dir scripts/node_modules/left-pad
        file scripts/node_modules/left-pad/index.js 1400
        file scripts/node_modules/left-pad/package.json 600
        dir scripts/node_modules/big
        file scripts/node_modules/big/data.bin 2400000 fill=z
      `),
      tar(
        `
        gone scripts/package-lock.json
        gone var/lib/apt/lists/deb.debian.org_main_Packages
        dir scripts 0755 1000:1000
        dir scripts/public 0755 1000:1000
        ${owned('1000:1000')}
        file scripts/.config 55 0600 1000:1000
      `,
        text('scripts/server.js', server('process.env.PORT', 'hello, world'), { mode: 0o755, uid: 1000, gid: 1000 }),
      ),
    ],
    history: [
      {
        created_by: '/bin/sh -c #(nop) ADD file:2a8f1c4bd04b8b0b7fc5d4a1c8d5c6a4c4d1d2e3f405162738495a6b7c8d9e0f in / ',
      },
      { created_by: '/bin/sh -c apt-get update && apt-get install -y curl' },
      { created_by: '/bin/sh -c #(nop)  ENV NODE_VERSION=11.13.0', empty_layer: true },
      {
        created_by:
          '/bin/sh -c #(nop) COPY dir:0d1e2f3a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f6 in /scripts ',
      },
      { created_by: '/bin/sh -c npm install' },
      {
        created_by:
          '/bin/sh -c chown -R app:app /scripts && rm -f /scripts/package-lock.json && rm -rf /var/lib/apt/lists/*',
      },
      { created_by: '/bin/sh -c #(nop) WORKDIR /scripts', empty_layer: true },
      { created_by: '/bin/sh -c #(nop)  USER app', empty_layer: true },
      { created_by: '/bin/sh -c #(nop)  EXPOSE 8080', empty_layer: true },
      { created_by: '/bin/sh -c #(nop)  CMD ["node" "server.js"]', empty_layer: true },
    ],
    config: {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'NODE_VERSION=11.13.0'],
      WorkingDir: '/scripts',
      User: 'app',
      ExposedPorts: { '8080/tcp': {} },
      Cmd: ['node', 'server.js'],
      Labels: { maintainer: 'someone' },
    },
    ...more,
  })
}

/** The same, with the Dockerfile beside it, which holds what a terminal should not see. */
export function writtenImage() {
  const lines = [
    '# syntax=docker/dockerfile:1 \x1b[31m',
    'ARG NODE=11.13.0',
    'FROM debian AS base',
    'RUN apt-get update && \\',
    '    apt-get install -y curl',
    '',
    'FROM base',
    'ENV NODE_VERSION=$NODE',
    'COPY . /scripts',
    'RUN npm install',
    'RUN chown -R app:app /scripts \\',
    '\t# the lists are of no use any more',
    '    && rm -f /scripts/package-lock.json \\',
    '    && rm -rf /var/lib/apt/lists/*',
    'WORKDIR /scripts',
    'USER app',
    'EXPOSE 8080',
    'CMD ["node", "server.js"]',
  ]
  const image: Image = classicImage()
  image.written = { file: readWritten('Dockerfile', lines.join('\n')), target: undefined }
  return image
}

/** Names from all over the world, and names that would like to drive the terminal. */
export function hostileImage() {
  return memoryImage({
    names: ['böse:\x1b[31m'],
    layers: [
      tar(
        `
        dir 資料
        file 資料/日本語のとても長いファイル名です.txt 1000
        file 資料/한국어.txt 2000
        file emoji-👩‍👩‍👧‍👦-🎉.md 300
        file combining-é-à.txt 3
        `,
        entry({ path: 'esc-\x1b[2J\x1b[31mred', body: new Uint8Array(10) }),
        entry({ path: 'new\nline', body: new Uint8Array(10) }),
        entry({ path: 'bidi-\u202egnp.exe', body: new Uint8Array(10) }),
        entry({ path: Buffer.from('latin1-\xe9\xff', 'latin1'), body: new Uint8Array(10) }),
        entry({ path: 'tab\there', body: new Uint8Array(10) }),
        entry({ path: `long-${'x'.repeat(300)}.txt`, body: new Uint8Array(10) }),
        entry({ path: 'lnk', type: 'symlink', link: '/\x07bell\r\n' }),
        entry({
          path: `${Array.from({ length: 40 }, (_, at) => `d${at}`).join('/')}/deep.txt`,
          body: new Uint8Array(10),
        }),
      ),
      tar('gone 資料/한국어.txt', 'file 資料/中文 10'),
    ],
    history: [
      { created_by: 'RUN printf "\x1b]0;owned\x07" \u202e && echo 資料' },
      { created_by: 'RUN rm 資料/한국어.txt\nRUN second' },
    ],
    config: { Env: ['EVIL=\x1b[2J'], Labels: { '\x1b[31m': 'x\ny' } },
  })
}

function text(path: string, body: string, fields: { mode?: number; uid?: number; gid?: number } = {}) {
  return entry({ path, body: Buffer.from(body), ...fields })
}

function server(port: string, answer: string): string {
  const lines = ["const http = require('http')", `const port = ${port}`, '', 'http.createServer((_, response) => {']
  return [...lines, `\tresponse.end('${answer}')`, '}).listen(port)', ''].join('\n')
}
