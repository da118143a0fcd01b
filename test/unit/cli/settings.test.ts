/** What is remembered of the person's answers. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readSettings, remember, settingsFile } from '../../../src/cli/settings.ts'
import { openOptions } from '../../../src/cli/target.ts'
import type { HelperOffer } from '../../../src/source/open.ts'
import { scratch } from '../../harness/scratch.ts'

/** The settings file of a person who has none yet. */
function ownFile(): string {
  const before = process.env.XDG_CONFIG_HOME
  process.env.XDG_CONFIG_HOME = join(scratch().path, 'config')
  onTestFinished(() => {
    if (before === undefined) delete process.env.XDG_CONFIG_HOME
    else process.env.XDG_CONFIG_HOME = before
  })
  return settingsFile()
}

test('an answer is kept in a folder that is made for it; a later one takes its place', async () => {
  const file = ownFile()
  expect(file).toBe(join(process.env.XDG_CONFIG_HOME!, 'strata/settings.json'))
  expect(await readSettings()).toEqual({})
  await remember({ fastRemote: 'always' })
  expect(readFileSync(file, 'utf8')).toBe('{\n  "fastRemote": "always"\n}\n')
  await remember({ fastRemote: 'never' })
  expect(await readSettings()).toEqual({ fastRemote: 'never' })
  expect(readdirSync(dirname(file))).toEqual(['settings.json'])
})

test('what a newer version has written stays', async () => {
  const file = ownFile()
  await remember({})
  writeFileSync(file, '{"theme": "dark", "fastRemote": "never"}')
  await remember({ fastRemote: 'always' })
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ theme: 'dark', fastRemote: 'always' })
})

test.each([
  '{"fastRemote": "some',
  '{"fastRemote": "sometimes"}',
  '[]',
  '',
])('%s: an error, and never overwritten', async text => {
  const file = ownFile()
  await remember({})
  writeFileSync(file, text)
  await expect(readSettings()).rejects.toThrow(`The settings in ${file} make no sense.`)
  await expect(remember({ fastRemote: 'always' })).rejects.toThrow('make no sense')
  expect(readFileSync(file, 'utf8')).toBe(text)
})

test('an option goes before what is remembered, and that before the question', async () => {
  ownFile()
  const offer: HelperOffer = { engine: 'docker', image: 'app:1', bytes: 1 }
  const asked: string[] = []
  const ask = async ({ image }: HelperOffer) => asked.push(image) > 0
  const may = async (options: Record<string, unknown>) => {
    const { fastRemote } = openOptions(options, ask)
    return typeof fastRemote === 'function' ? fastRemote(offer) : fastRemote
  }
  expect([await may({}), asked]).toEqual([true, ['app:1']])
  await remember({ fastRemote: 'never' })
  expect([await may({}), await may({ fastRemote: true })]).toEqual([false, true])
  await remember({ fastRemote: 'always' })
  expect([await may({}), await may({ fastRemote: false })]).toEqual([true, false])
  expect(asked).toEqual(['app:1'])
  await remember({ fastRemote: undefined })
  const { fastRemote } = openOptions({})
  expect(await (fastRemote as typeof ask)(offer)).toBe(false)
})
