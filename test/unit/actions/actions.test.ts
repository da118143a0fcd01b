/** Actions as data: which one a key means, and that the tables of keys agree with themselves. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Action, bind, resolve, valid } from '../../../src/actions/action.ts'
import { completePath } from '../../../src/actions/complete-path.ts'
import { globalActions } from '../../../src/actions/global.ts'
import { imagesActions } from '../../../src/actions/images.ts'
import { keyTable } from '../../../src/actions/key-table.ts'
import { keyLabel } from '../../../src/actions/keys.ts'
import { scratch } from '../../harness/scratch.ts'

interface Context {
  ran: string[]
  marked: boolean
}

const action = (id: string, keys: string[], more: Partial<Action<Context>> = {}): Action<Context> => ({
  id,
  title: id,
  keys,
  scope: id.slice(0, id.lastIndexOf('.')),
  run: context => void context.ran.push(id),
  ...more,
})

describe('a key', () => {
  const context: Context = { ran: [], marked: false }
  const actions = bind(
    [
      action('tree.open', ['enter']),
      action('screen.open', ['enter', 'o']),
      action('screen.delete', ['d'], { needs: ({ marked }) => marked }),
      action('other.open', ['x']),
    ],
    context,
  )
  const scopes = ['tree', 'screen']

  it('means the action of the innermost scope', () => {
    expect(resolve('enter', actions, scopes)?.id).toBe('tree.open')
    expect(resolve('enter', actions, ['screen'])?.id).toBe('screen.open')
    expect(resolve('o', actions, scopes)?.id).toBe('screen.open')
  })

  it('means nothing outside of its scope or while its action is not possible', () => {
    expect(resolve('x', actions, scopes)).toBeNull()
    expect(resolve('d', actions, scopes)).toBeNull()
    context.marked = true
    expect(resolve('d', actions, scopes)?.id).toBe('screen.delete')
  })

  it('lists what is valid, innermost first', () => {
    context.marked = false
    expect(valid(actions, scopes).map(one => one.id)).toEqual(['tree.open', 'screen.open'])
  })
})

describe.each([
  ['global', globalActions],
  ['images', imagesActions],
] as [string, readonly Action<never>[]][])('the actions of %s', (_, actions) => {
  it('have ids of their own', () => {
    expect(new Set(actions.map(one => one.id)).size).toBe(actions.length)
  })

  it('share a key only where one of them has a condition', () => {
    for (const [at, one] of actions.entries()) {
      for (const other of actions.slice(at + 1)) {
        const shared = other.scope === one.scope && one.keys.some(key => other.keys.includes(key))
        expect(shared && !one.needs && !other.needs, `${one.id} and ${other.id}`).toBe(false)
      }
    }
  })

  it('are all in the table of keys', () => {
    const table = keyTable(actions)
    for (const { title } of actions) expect(table).toContain(`| ${title} |`)
  })
})

describe('the name of a key', () => {
  it.each([
    ['a', 'a'],
    ['-', '-'],
    ['enter', '⏎'],
    ['ctrl-d', 'ctrl-d'],
    ['shift-up', 'shift-↑'],
    ['pagedown', 'pgdn'],
  ])('%s is shown as %s', (key, label) => {
    expect(keyLabel(key)).toBe(label)
  })
})

describe('a path being typed', () => {
  it('goes on with what is there, directories with a slash, hidden ones when asked for', async () => {
    const { path } = scratch()
    for (const name of ['build', '.git']) mkdirSync(join(path, name))
    for (const name of ['base.tar', 'app.tar', '.env']) writeFileSync(join(path, name), '')
    const complete = async (text: string) =>
      (await completePath(`${path}/${text}`)).map(one => one.slice(path.length + 1))
    expect(await complete('')).toEqual(['app.tar', 'base.tar', 'build/'])
    expect(await complete('b')).toEqual(['base.tar', 'build/'])
    expect(await complete('.')).toEqual(['.env', '.git/'])
    expect(await complete('nothing/')).toEqual([])
  })
})
