import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createServices } from '../../../src/cli/services.ts'
import { scratch } from '../../harness/scratch.ts'

test('paths are completed as a shell does: directories with a slash, hidden names only when asked for', async () => {
  const { path } = scratch()
  for (const name of ['app.tar', 'apple.tar', '.hidden']) writeFileSync(join(path, name), '')
  mkdirSync(join(path, 'apps'))
  const { completePath } = createServices({})
  const names = async (text: string) => (await completePath(join(path, text))).map(one => one.slice(path.length + 1))
  expect(await names('app')).toEqual(['app.tar', 'apple.tar', 'apps/'])
  expect(await names('/')).toEqual(['app.tar', 'apple.tar', 'apps/'])
  expect(await names('.h')).toEqual(['.hidden'])
  expect(await names('none')).toEqual([])
  expect(await names('no/such/folder/x')).toEqual([])
})

test('an image is opened as the command line asks', async () => {
  const { path } = scratch()
  const { open } = createServices({ platform: 'linux/arm64', cache: false })
  await expect(open(join(path, 'missing.tar'))).rejects.toThrow('can not be opened: no such file or directory')
  expect(() => createServices({ platform: '!' })).toThrow('“!” is no platform.')
})
