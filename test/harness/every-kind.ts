/**
 * One image with everything that a layer can hold and that every engine loads: what `analyze --json` says of it has to
 * be the same from wherever it is read.
 */
import { Buffer } from 'node:buffer'
import type { Compression, ImageSpec } from './images.ts'
import { entry, fill, type Piece, tar } from './tar.ts'
import { gnuSparse, paxSparse, type Segment } from './tar-sparse.ts'

export const everyKindName = 'example.org/every/kind:1'
/** With sparse files. */
export const everySparseName = 'example.org/every/sparse:1'

/**
 * Sparse files in it. `pax`: engines load them but can not save them again (Docker: "could not verify layer data",
 * Podman: "archive/tar: write too long"). `all`: GNU's old format too, which none loads ("unhandled tar header type 83").
 */
export type Sparse = 'none' | 'pax' | 'all'

/** Its layers compressed like that; config, diffIDs and so its id do not depend on it. */
export function everyKind(compression: Compression = 'none', sparse: Sparse = 'none'): ImageSpec {
  return {
    names: [sparse === 'none' ? everyKindName : everySparseName],
    layers: [bottom(sparse), middle(sparse), tar(), top()].map(tar => ({ tar, compression })),
    history: [
      { created: '2026-01-02T03:04:05Z', created_by: 'ADD rootfs.tar /', comment: 'base' },
      { created: '2026-01-02T03:04:06.123456789Z', created_by: 'ENV A=1', empty_layer: true },
      { created: '2026-01-02T03:04:07Z', created_by: 'RUN |1 V=2 /bin/sh -c change “everything”', author: 'me' },
      { created: '2026-01-02T03:04:08Z', created_by: 'WORKDIR /' },
      { created: '2026-01-02T03:04:09+02:00', created_by: 'COPY . . # buildkit' },
      { created: '2026-01-02T03:04:10Z', created_by: 'CMD ["sh"]', empty_layer: true },
    ],
    config: { Env: ['PATH=/bin', 'A=1'], Cmd: ['sh'], WorkingDir: '/', Labels: { strange: 'é\u202e' } },
  }
}

/** Version 2, cap_net_raw+ep, as the kernel keeps it. */
const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex')
const MAX_NAME = 'n'.repeat(255)
const far = `far/${'x'.repeat(90)}/${'y'.repeat(90)}`

/** Logical 600 000 bytes, of which a few are stored. */
const pieces = (letter: string): Segment[] => [
  [4096, fill(300, letter)],
  [400_000, fill(5000, letter)],
]

/** One that has this letter in it, and one that is the same with every letter. */
function paxFiles(letter: string): Piece[] {
  return [
    paxSparse('0.1', 'sparse/pax-0.1', 600_000, pieces(letter)),
    paxSparse('1.0', 'sparse/pax-1.0', 600_000, pieces('i')),
  ]
}

/** Zeros that are stored, which an engine may leave as holes on its disk. */
function withHoles(letter: string): Uint8Array {
  return Buffer.concat([fill(10, letter), Buffer.alloc(300_000), fill(10, letter)])
}

function bottom(sparse: Sparse): Uint8Array {
  return tar(
    `
    dir bin
    file bin/su 5000 04755 fill=s
    hard bin/su-too -> bin/su
    hard bin/su-again -> bin/su
    dir etc 0755 mtime=1700000000.5
    file etc/passwd 900 mtime=1700000000.123456789
    file etc/shadow 90 0000
    dir tmp 01777
    dir shared 02775 1000:1000
    dir old
    file old/a 700
    file old/b 800
    dir covered
    file covered/x 1000
    dir covered/deep
    file covered/deep/y 2000
    dir gone
    dir gone/sub
    file gone/sub/z 3000 65000:65001
    file turns 1234
    dir becomes
    file becomes/w 4321
    link sh -> bin/su
    link absolute -> /etc/passwd
    link nowhere -> ../../../../outside
    link moved -> bin
    fifo pipe 0600
    file empty 0
    file before 10 mtime=-100000
    file after 10 mtime=5000000000
    file line%0Abreak 11
    file %FF%FE%80 12
    file escape%1B[31m 13
    file bidi%E2%80%AEgpj 14
    file .wh 15
    file same 2500 mtime=1600000000
    file touched 2600 mtime=1600000000
    file log 100
    `,
    entry({ path: 'bin/ping', body: fill(4000, 'p'), mode: 0o755, xattrs: { 'security.capability': capability } }),
    entry({ path: 'labelled', body: fill(40), xattrs: { 'user.note': 'ä', 'user.bytes': Uint8Array.of(1, 255, 0) } }),
    entry({ path: `${far}/pax`, body: fill(21) }),
    entry({ path: `${far}/gnu`, body: fill(22), long: 'gnu' }),
    entry({ path: MAX_NAME, body: fill(23) }),
    entry({ path: 'long-link', type: 'symlink', mode: 0o777, link: `${far}/pax` }),
    ...(sparse === 'all' ? [gnuSparse('sparse/gnu', 600_000, pieces('g'))] : []),
    ...(sparse === 'none' ? [] : paxFiles('h')),
    entry({ path: 'holes', body: withHoles('a') }),
  )
}

function middle(sparse: Sparse): Uint8Array {
  return tar(
    `
    gone old/a
    gone gone
    gone never/there
    opaque covered
    file covered/new 50
    dir turns
    file turns/into 60
    gone becomes
    file becomes 70
    file etc/passwd 900 mtime=1700000001.25
    file bin/su 5000 0755 fill=s
    file same 2500 fill=b mtime=1600000000
    file touched 2600 mtime=1600000001
    file log 100 fill=c
    hard log-too -> log
    link sh -> bin/ping
    dir tmp 0755
    file shared/inside 33 01644 1000:1000
    `,
    entry({ path: 'bin/ping', body: fill(4000, 'p'), mode: 0o755 }),
    ...(sparse === 'all' ? [gnuSparse('sparse/gnu', 600_000, pieces('k'))] : []),
    ...(sparse === 'none' ? [] : paxFiles('l')),
    entry({ path: 'holes', body: withHoles('b') }),
  )
}

function top(): Uint8Array {
  return tar(`
    file old/a 700 fill=z
    gone log
    file escape%1B[31m 13 1:1
    gone %FF%FE%80
    file late/implied/file 80
  `)
}
