/** What an engine says of a container: a tree that folds, is searched, and keeps its secrets. */
import { describe, expect, it } from 'vitest'
import { inspectScreen } from '../../../src/ui/containers/inspect.ts'
import { expectFrame } from '../../harness/frames.ts'
import { type MountOptions, mountScreen } from '../../harness/mount.tsx'

const raw = {
  Id: '7765620000',
  State: { Status: 'running', Pid: 4242, OOMKilled: false, Health: null },
  Config: {
    Env: ['PATH=/bin', 'DB_PASSWORD=hunter2', 'URL=https://me:hunter3@host/'],
    Labels: { 'api-key': 'hunter4', 'com.example.团队': 'evil\u001b[2J\u202e' },
    Cmd: [],
  },
}

function inspected(value: unknown = raw, options: MountOptions = { columns: 80, rows: 24 }) {
  return mountScreen(ui => inspectScreen(ui, 'web', value), options)
}

describe('what the engine says of a container', () => {
  it.each([
    [40, 12],
    [80, 24],
  ])('is a tree at %ix%i, its secrets masked', async (columns, rows) => {
    const app = await inspected(raw, { columns, rows, level: '16' })
    await app.until('Env')
    expect(app.text()).not.toContain('hunter')
    await expectFrame(app, 'containers/inspect', { styles: true })
  })

  it('shows one secret, and all', async () => {
    const app = await inspected()
    await app.press('/')
    await app.type('db_password')
    await app.press('enter', 'm')
    await app.until('hunter2')
    expect(app.text()).not.toContain('hunter3')
    await app.press('m')
    await app.until(text => !text.includes('hunter2'))
    await app.press('x')
    for (const secret of ['hunter2', 'hunter3', 'hunter4']) await app.until(secret)
    await app.until('3 secrets shown')
  })

  it('opens and closes, and goes to what a row is in', async () => {
    const app = await inspected()
    await app.press('j', 'enter')
    await app.until(text => !text.includes('Pid') && text.includes('{ 4 keys }'))
    await app.press('right', 'j', 'j', 'left')
    await app.until('.State ')
    await app.press('-')
    await app.until(text => !text.includes('Env') && text.includes('2 of 3'))
    await app.press('+')
    await app.until('Env')
    await app.until('2 of 15')
  })

  it('finds keys and values in what is closed too, and counts them', async () => {
    const app = await inspected()
    await app.press('-', '/')
    await app.type('host')
    await app.press('enter')
    await app.until('1 of 1 with host')
    await app.until('.Config.Env[2]')
    await app.press('n')
    await app.until('No more below.')
    await app.press('/')
    await app.type('hunter')
    await app.press('enter')
    await app.until('is not there')
  })

  it('copies values and the way to them, but nothing that is masked', async () => {
    const app = await inspected()
    await app.press('j', 'j', 'y')
    await app.until('copied Status (7 B)')
    await app.press('Y')
    await app.until('copied .State.Status')
    await app.press('/')
    await app.type('api-key')
    await app.press('enter', 'y')
    await app.until('It is masked: m shows it.')
    await app.press('Y')
    await app.until('copied .Config.Labels["api-key"]')
  })

  it('is bounded, whatever an engine says', async () => {
    let deep: unknown = 'x'
    for (let at = 0; at < 5_000; at++) deep = { deep }
    const app = await inspected({ wide: Array.from({ length: 200_000 }, (_, at) => at), long: 'y'.repeat(1e6), deep })
    await app.until('[ 200000 items ]')
    await app.press('+', 'G')
    await app.until('50 000 of 50 000')
    await app.press('-')
    await app.until('of 2')
  })
})
