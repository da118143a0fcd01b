/** Names of volumes, and volumes on the disk: who has them, who takes them away, what is left half done. */
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  createVolume,
  holdVolume,
  releaseVolumes,
  removeVolume,
  sweepVolumes,
} from '../../../src/runtime/volumes/shelf.ts'
import { checkVolumeName, listVolumes, volumeFolder } from '../../../src/runtime/volumes/volume.ts'
import { scratch } from '../../harness/scratch.ts'

test.each([
  'a',
  '',
  '..',
  '../up',
  'a/b',
  '-x',
  'a b',
  '.hidden',
  'a\0b',
  'ä-b',
  'x'.repeat(300),
  '_data',
])('%j is no name', name => expect(() => checkVolumeName(name)).toThrow(expect.objectContaining({ exitCode: 125 })))

test.each(['ab', 'a.b', '0_9-x', 'f'.repeat(64)])('%s is a name', name => checkVolumeName(name))

function places() {
  const { path } = scratch()
  return { store: join(path, 'store'), containers: join(path, 'containers'), state: join(path, 'state') }
}

function container(where: ReturnType<typeof places>, digit: string): string {
  const id = digit.repeat(64)
  mkdirSync(join(where.containers, id), { recursive: true })
  return id
}

test('a volume that a container has is not removed; one whose container is gone is', async () => {
  const where = places()
  const [a, b] = [container(where, 'a'), container(where, 'b')]
  holdVolume(where, { name: 'data', labels: { k: 'v' } }, a)
  holdVolume(where, { name: 'data' }, b)
  expect(listVolumes(where)).toMatchObject([{ name: 'data', labels: { k: 'v' }, anonymous: false, users: [a, b] }])
  await expect(removeVolume(where, 'data')).rejects.toThrow('in use by aaaaaaaaaaaa, bbbbbbbbbbbb.')
  const mount = { kind: 'volume' as const, name: 'data', source: '', destination: '/d', readOnly: false }
  await releaseVolumes(where, { id: a, mounts: [mount] }, { anonymous: true })
  await expect(removeVolume(where, 'data')).rejects.toThrow('in use by bbbbbbbbbbbb.')
  rmSync(join(where.containers, b), { recursive: true })
  await removeVolume(where, 'data')
  expect([listVolumes(where), existsSync(volumeFolder(where, 'data').path)]).toEqual([[], false])
  await expect(removeVolume(where, 'data')).rejects.toThrow('no such volume')
})

test('a nameless one goes with its last user', async () => {
  const where = places()
  const [a, b] = [container(where, 'a'), container(where, 'b')]
  const name = 'c'.repeat(64)
  for (const id of [a, b]) holdVolume(where, { name, anonymous: true }, id)
  const mounts = [{ kind: 'volume' as const, name, anonymous: true, source: '', destination: '/d', readOnly: false }]
  await releaseVolumes(where, { id: a, mounts }, { anonymous: true })
  expect(listVolumes(where)).toHaveLength(1)
  await releaseVolumes(where, { id: b, mounts }, { anonymous: true })
  expect(listVolumes(where)).toEqual([])
})

test('one that was half removed is not there, is swept, and can be made anew', async () => {
  const where = places()
  createVolume(where, { name: 'half', labels: { old: '' } })
  rmSync(volumeFolder(where, 'half').users, { recursive: true })
  expect(listVolumes(where)).toEqual([])
  expect(createVolume(where, { name: 'half' })).toMatchObject({ labels: {}, users: [] })
  rmSync(volumeFolder(where, 'half').users, { recursive: true })
  mkdirSync(join(where.store, 'volumes/.gone-999999999-0000'))
  await sweepVolumes(where)
  expect(existsSync(volumeFolder(where, 'half').path)).toBe(false)
  expect(existsSync(join(where.store, 'volumes/.gone-999999999-0000'))).toBe(false)
})
