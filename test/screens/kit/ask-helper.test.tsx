/** The question whether an engine may make a helper container, and what becomes of its answer. */
import { expect, it } from 'vitest'
import type { Settings } from '../../../src/actions/settings.ts'
import { Fault } from '../../../src/base/errors.ts'
import type { HelperOffer } from '../../../src/source/open.ts'
import { askHelper } from '../../../src/ui/ask-helper.ts'
import { createImages } from '../../../src/ui/images/images.ts'
import { expectFrame } from '../../harness/frames.ts'
import { type MountOptions, mountScreen } from '../../harness/mount.tsx'

const offer: HelperOffer = { engine: 'docker', image: 'myapp:1', bytes: 916e6 }

async function asked(more: Partial<HelperOffer> = {}, options: MountOptions = {}) {
  const kept: Settings[] = []
  const remember = async (settings: Settings) => void kept.push(settings)
  const app = await mountScreen(createImages, { ...options, services: { remember, ...options.services } })
  const answer = askHelper(app.host, { ...offer, ...more })
  await app.settled()
  return { app, answer, kept }
}

it.each([
  [120, 36],
  [80, 24],
  [40, 12],
])('says at %dx%d what would be made, and in place of what', async (columns, rows) => {
  const { app } = await asked({}, { columns, rows })
  await expectFrame(app, 'kit/ask-helper')
})

it.each([
  ['a', true, [{ fastRemote: 'always' }]],
  ['t', true, []],
  ['n', false, [{ fastRemote: 'never' }]],
  ['esc', false, []],
] as const)('%s: made %s, remembered %j', async (key, made, remembered) => {
  const { app, answer, kept } = await asked()
  await app.press(key)
  expect([await answer, kept]).toEqual([made, remembered])
  expect(app.text()).not.toContain('without an export')
})

it('an answer that can not be remembered counts all the same, and that is said', async () => {
  const remember = () => Promise.reject(new Fault('The settings can not be written: it is read-only.'))
  const { app, answer } = await asked({}, { services: { remember } })
  await app.press('a')
  expect(await answer).toBe(true)
  await app.until('The settings can not be written')
})

it('goes away when nobody wants the answer any more', async () => {
  const stop = new AbortController()
  const { app, answer } = await asked({ signal: stop.signal })
  stop.abort()
  expect(await answer).toBe(false)
  await app.until(screen => !screen.includes('without an export'))
})

it('names of images and engines are only ever text', async () => {
  const { app } = await asked({ image: 'evil\x1b[2J\u202e:1', engine: 'dock\x07er' })
  expect(app.text()).toContain('evil\\x1b[2J\\u{202e}:1')
})
