/** The layers of a pull as they are shown: a line each, in place on a terminal, when they are done in a pipe. */
import { expect, test } from 'vitest'
import type { Output } from '../../../src/cli/output.ts'
import { type LayerLine, showLayers } from '../../../src/cli/store/pull-progress.ts'
import { tlsVerifyOf } from '../../../src/cli/store/registry.ts'

function output(terminal: boolean): Output & { text(): string } {
  let text = ''
  return {
    terminal,
    columns: terminal ? 60 : Number.POSITIVE_INFINITY,
    write(more) {
      text += more
      return undefined
    },
    writeBytes: async () => {},
    flush: async () => {},
    style: (_, one) => one,
    text: () => text,
  }
}

const digest = (at: number) => `sha256:${String(at).repeat(64)}`
const line = (at: number, kind: LayerLine['kind'], doing: string, done = 0): LayerLine => ({
  digest: digest(at),
  done,
  total: 1000,
  doing,
  kind,
})

/** What a terminal shows of it, line by line. */
function drawn(text: string): string[] {
  const lines: string[] = ['']
  let row = 0
  for (const [, up, clear, end, plain] of text.matchAll(/\x1b\[(\d+)A|(\x1b\[J)|(\x1b\[K)|([^\x1b]+)/g)) {
    if (up) row -= Number(up)
    if (clear) lines.length = row
    for (const [at, part] of (plain ?? '').split('\n').entries()) {
      if (at > 0) row++
      if (part !== '\r' && part !== '') lines[row] = part
      else lines[row] ??= ''
    }
    if (end) lines[row] ??= ''
  }
  return lines.filter(one => one !== '')
}

test('in a pipe: a line when a layer is done, and nothing of what goes on meanwhile', () => {
  const [err, out] = [output(false), output(false)]
  const lines = showLayers(err, out)
  lines.layer(line(1, 'waits', 'Waiting'))
  lines.layer(line(1, 'moves', 'Downloading', 500))
  lines.layer(line(1, 'over', 'Pull complete', 1000))
  lines.layer(line(1, 'over', 'Pull complete', 1000))
  lines.say('it \x1b[2J waits')
  lines.end()
  expect(out.text()).toBe('111111111111: Pull complete\n')
  expect(err.text()).toBe('it \\x1b[2J waits\n')
})

test('on a terminal: in place while it moves, for good when it is over, above what still moves', () => {
  const err = output(true)
  let time = 0
  const lines = showLayers(err, null, { now: () => (time += 200), rows: () => 24 })
  for (const at of [1, 2, 3]) lines.layer(line(at, 'waits', 'Waiting'))
  lines.layer(line(1, 'moves', 'Downloading', 500))
  lines.layer(line(2, 'moves', 'Downloading', 1000))
  expect(drawn(err.text())).toEqual([
    '111111111111: Downloading [===============>              ]…',
    '222222222222: Downloading [==============================]…',
    '333333333333: Waiting',
  ])
  lines.layer(line(2, 'over', 'Pull complete'))
  lines.say('the registry wants us to wait')
  expect(drawn(err.text())).toEqual([
    '222222222222: Pull complete',
    'the registry wants us to wait',
    '111111111111: Downloading [===============>              ]…',
    '333333333333: Waiting',
  ])
  lines.end()
  expect(drawn(err.text())).toEqual(['222222222222: Pull complete', 'the registry wants us to wait'])
})

test('more layers than the terminal has lines: those that move, and how many more', () => {
  const err = output(true)
  let time = 0
  const lines = showLayers(err, null, { now: () => (time += 200), rows: () => 5 })
  for (const at of [1, 2, 3, 4, 5, 6]) lines.layer(line(at, 'waits', 'Waiting'))
  lines.layer(line(6, 'moves', 'Downloading', 0))
  expect(drawn(err.text())).toEqual([
    '666666666666: Downloading [>                             ]…',
    '111111111111: Waiting',
    'and 4 more',
  ])
})

test('--tls-verify is true or false', () => {
  expect([undefined, 'true', '1', 'false', '0', 'no'].map(tlsVerify => tlsVerifyOf({ tlsVerify }))).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
  ])
  expect(() => tlsVerifyOf({ tlsVerify: 'maybe' })).toThrow(/is true or false/)
})
