/** Sockets that come after the start: told by the folders that they lie in, of any depth. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { watchSockets } from '../../../src/engine/new-sockets.ts'
import { type EngineSource, watchEngines } from '../../../src/engine/watching.ts'
import { until } from '../../harness/command.ts'
import { scratch } from '../../harness/scratch.ts'

function watched(paths: readonly string[]) {
  const seen = { told: 0 }
  const end = watchSockets(paths, () => seen.told++)
  onTestFinished(end)
  return { seen, end }
}

test('a socket that comes, and one that goes', async () => {
  const folder = scratch().path
  const path = join(folder, 'docker.sock')
  const { seen } = watched([path])
  const server = createServer()
  await new Promise<void>(resolve => server.listen(path, resolve))
  await until(() => seen.told === 1)
  await new Promise(resolve => server.close(resolve))
  await until(() => seen.told === 2)
})

test('a folder that is not there yet, however deep, and any name for a star', async () => {
  const folder = scratch().path
  const { seen } = watched([join(folder, 'a', 'b', 'docker.sock'), join(folder, 'vms', '*', 'docker.sock')])
  mkdirSync(join(folder, 'a'))
  await until(() => seen.told === 1)
  mkdirSync(join(folder, 'a', 'b'))
  await until(() => seen.told === 2)
  writeFileSync(join(folder, 'a', 'b', 'docker.sock'), '')
  await until(() => seen.told === 3)
  mkdirSync(join(folder, 'vms'))
  await until(() => seen.told === 4)
  mkdirSync(join(folder, 'vms', 'default'))
  await until(() => seen.told === 5)
})

test('what is none of ours is not told, and nothing is after the end', async () => {
  const folder = scratch().path
  const { seen, end } = watched([join(folder, 'docker.sock')])
  writeFileSync(join(folder, 'other'), '')
  writeFileSync(join(folder, 'docker.sock'), '')
  await until(() => seen.told === 1)
  end()
  rmSync(join(folder, 'docker.sock'))
  await new Promise(resolve => setTimeout(resolve, 250))
  expect(seen.told).toBe(1)
})

test('an engine that comes is watched from then on, under a name of its own, and only once', async () => {
  const source = (id: string, place: string): EngineSource => ({
    id,
    place,
    open: () => Promise.reject(new Error('not well')),
  })
  let found = [source('docker', 'a')]
  let told = () => {}
  const watching = watchEngines(
    found,
    {},
    {
      find: async () => found,
      onChange(call) {
        told = call
        return () => {}
      },
    },
  )
  onTestFinished(() => watching.close())
  found = [source('docker', 'b'), source('docker-2', 'a'), source('podman', 'c')]
  told()
  await until(() => watching.snapshot().length === 3)
  told()
  await until(() => watching.snapshot().every(one => one.health.state === 'lost'))
  expect(watching.snapshot().map(one => one.id)).toEqual(['docker', 'docker-2', 'podman'])
})
