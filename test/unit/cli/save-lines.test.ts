/** Lines into a file: what is never written over. */
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { saveLines } from '../../../src/cli/save-lines.ts'
import { scratch } from '../../harness/scratch.ts'

test('a new file is written', async () => {
  const path = join(scratch().path, 'new.log')
  expect(await saveLines(path, ['a', 'b'])).toBe(true)
  expect(readFileSync(path, 'utf8')).toBe('a\nb\n')
})

test('one that is there stays, unless it is to be written over', async () => {
  const path = join(scratch().path, 'old.log')
  writeFileSync(path, 'old', { mode: 0o600 })
  expect(await saveLines(path, ['new'])).toBe(false)
  expect(readFileSync(path, 'utf8')).toBe('old')
  expect(await saveLines(path, ['new'], { over: true })).toBe(true)
  expect(readFileSync(path, 'utf8')).toBe('new\n')
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('what a symbolic link leads to is never written', async () => {
  const folder = scratch().path
  for (const name of ['target', 'nowhere']) symlinkSync(join(folder, name), join(folder, `to-${name}`))
  writeFileSync(join(folder, 'target'), 'precious')
  for (const over of [false, true])
    for (const link of ['to-target', 'to-nowhere'])
      await expect(saveLines(join(folder, link), ['x'], { over })).rejects.toThrow(
        /is a symbolic link to .*(target|nowhere)/,
      )
  expect(readFileSync(join(folder, 'target'), 'utf8')).toBe('precious')
})

test('a directory is no file, and a folder that is missing is told', async () => {
  const folder = scratch().path
  mkdirSync(join(folder, 'sub'))
  await expect(saveLines(join(folder, 'sub'), ['x'])).rejects.toThrow('is a directory')
  await expect(saveLines(join(folder, 'none', 'x'), ['x'])).rejects.toThrow('can not be written')
})
