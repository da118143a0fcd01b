import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { keepConfig, keptConfig } from '../../../src/engine/config-cache.ts'
import { digest } from '../../harness/images.ts'
import { scratch } from '../../harness/scratch.ts'

const config = { rootfs: { diff_ids: ['a', 'b'] }, architecture: 'amd64' }
const other = { rootfs: { diff_ids: ['c'] }, architecture: 'arm64' }
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value))
const id = (value: unknown) => digest(bytes(value))
const manifest = (of: unknown) => ({ config: { digest: id(of) }, layers: [] })
const index = {
  manifests: [{ digest: 'sha256:gone' }, { digest: id(manifest(other)) }, { digest: id(manifest(config)) }],
}

test('a config is found by its own digest, by that of its manifest, by that of an index', () => {
  for (const start of [config, manifest(config), index]) {
    const { path } = scratch()
    keepConfig(path, id(start), documents(start, manifest(other), manifest(config), config, other))
    expect(keptConfig(path, id(start), ['a', 'b'])).toEqual({ digest: id(config), document: config })
    expect(keptConfig(path, id(start), ['x'])).toBe(null)
  }
})

test('only what the id leads to is kept', () => {
  const { path } = scratch()
  keepConfig(path, id(config), documents(config, other))
  expect(readdirSync(join(path, 'configs'))).toHaveLength(1)
  expect(keptConfig(path, id(other), ['c'])).toBe(null)
})

test('a config that has not its digest counts as missing', () => {
  const { path } = scratch()
  keepConfig(path, id(config), documents(config))
  const [file = ''] = readdirSync(join(path, 'configs'))
  writeFileSync(join(path, 'configs', file), JSON.stringify({ ...config, architecture: 'evil' }))
  expect(keptConfig(path, id(config), ['a', 'b'])).toBe(null)
})

test('documents that lead to each other come to an end; an id is no path', () => {
  const { path } = scratch()
  const loop = { manifests: Array(1000).fill({ digest: 'sha256:loop' }) }
  keepConfig(path, 'sha256:loop', new Map([['sha256:loop', bytes(loop)]]))
  expect(keptConfig(path, 'sha256:loop', [])).toBe(null)
  expect(keptConfig(path, '../../../../etc/passwd', [])).toBe(null)
})

function documents(...values: unknown[]): Map<string, Uint8Array> {
  return new Map(values.map(value => [id(value), bytes(value)]))
}
