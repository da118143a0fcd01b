/** The JSON, tar and deflate readers under damage, with address and undefined-behaviour checks watching. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { constants, deflateRawSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { entry, tar } from '../harness/tar.ts'
import { gnuSparse } from '../harness/tar-sparse.ts'
import { missingForNative, nativeFolder } from './helper.ts'

describe.skipIf(missingForNative() !== null)('fuzzing', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'strata-fuzz-'))
    execFileSync('make', ['-s', '-C', nativeFolder, 'fuzz'], { stdio: 'pipe' })
  }, 300_000)
  afterAll(() => rmSync(folder, { recursive: true }))

  /** Another seed on every day: what is found can be repeated by the number in the error. */
  const seed = String(Math.floor(Date.now() / 86_400_000))
  const fuzz = (name: string, rounds: number, seeds: Record<string, Uint8Array>) => {
    const files = Object.entries(seeds).map(([file, bytes]) => {
      writeFileSync(join(folder, file), bytes)
      return join(folder, file)
    })
    return execFileSync(join(nativeFolder, 'build', name), [String(rounds), seed, ...files], {
      stdio: 'pipe',
    }).toString()
  }

  test('config.json', () => {
    const config = {
      process: {
        args: ['sh', '-c', 'é\u0001\ud83d\ude00'],
        env: ['A=1'],
        cwd: '/',
        terminal: true,
        user: { uid: 1, gid: 2, additionalGids: [3, 4] },
        capabilities: { bounding: ['CAP_CHOWN'], effective: ['CAP_KILL'] },
        rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1, hard: -1 }],
        consoleSize: { height: 24, width: 80 },
      },
      root: { path: 'rootfs', readonly: true },
      mounts: [{ destination: '/proc', type: 'proc', options: ['ro', 'nosuid', 'size=1k'] }],
      linux: {
        namespaces: [{ type: 'pid' }, { type: 'network' }],
        uidMappings: [{ containerID: 0, hostID: 1000, size: 1 }],
        gidMappings: [{ containerID: 0, hostID: 1000, size: 1 }],
        maskedPaths: ['/proc/kcore'],
      },
      strata: { overlay: { lower: ['/a', '/b'], upper: '/u', work: '/w' }, user: 'a:b' },
      numbers: [0, -1, 1.5, 1e9, 9007199254740991, null, true, false, {}, []],
    }
    expect(fuzz('fuzz-json', 20_000, { 'config.json': Buffer.from(JSON.stringify(config)) })).toMatch(/rounds/)
  })

  test('deflate', () => {
    const text = Buffer.from(Array.from({ length: 4000 }, (_, at) => `line ${at * at}\n`).join(''))
    const noise = createHash('shake256', { outputLength: 9000 }).update('x').digest()
    const mixed = Buffer.concat([noise, text.subarray(0, 9000), Buffer.alloc(5000), noise.subarray(0, 3000)])
    const seeds = {
      text: deflateRawSync(text),
      fixed: deflateRawSync(text.subarray(0, 6000), { strategy: constants.Z_FIXED }),
      huffman: deflateRawSync(text, { strategy: constants.Z_HUFFMAN_ONLY }),
      stored: deflateRawSync(noise, { level: 0 }),
      mixed: deflateRawSync(mixed, { memLevel: 1 }),
      zeros: deflateRawSync(Buffer.alloc(60_000)),
    }
    expect(fuzz('fuzz-inflate', 500, seeds)).toMatch(/rounds/)
  }, 120_000)

  test('tar', () => {
    const seeds = {
      plain: tar('dir a\nfile a/b 700 1:2\nlink l -> a/b\nhard h -> a/b\nchar c 1,3\nfifo p'),
      pax: tar(
        entry({
          path: 'x'.repeat(300),
          body: Buffer.alloc(600),
          mtime: 1.5,
          xattrs: { 'user.a': 'b' },
          uid: 3_000_000_000,
        }),
      ),
      gnu: tar(
        entry({ path: 'y'.repeat(300), long: 'gnu', body: Buffer.alloc(10) }),
        gnuSparse('s', 20_000, [
          [0, Buffer.from('data')],
          [10_000, Buffer.from('more')],
        ]),
      ),
      sparse: tar(
        entry({
          path: 's',
          body: Buffer.from('datatail'),
          pax: [
            ['GNU.sparse.map', '10,4,96,4'],
            ['GNU.sparse.size', '100'],
          ],
        }),
      ),
      sparse1: tar(
        entry({
          path: 's',
          body: Buffer.concat([Buffer.from('1\n10\n4\n'.padEnd(512, '\0')), Buffer.from('data')]),
          pax: [
            ['GNU.sparse.major', '1'],
            ['GNU.sparse.minor', '0'],
            ['GNU.sparse.realsize', '100'],
          ],
        }),
      ),
    }
    expect(fuzz('fuzz-tar', 20_000, seeds)).toMatch(/rounds/)
  })
})
