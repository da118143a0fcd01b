/** The terminal is whole again on every way out. Real terminals: a program that uses the kit on a device of its own. */
import { afterAll, describe, expect, it } from 'vitest'
import { bundleFixture, node } from '../../harness/bundle.ts'
import { type Pty, type PtyOptions, startPty } from '../../harness/pty.ts'

const fixture = bundleFixture('kit.tsx')
afterAll(() => fixture.remove())

/** The program under a shell, which says afterwards in what state it found the terminal. */
async function started(options: PtyOptions = {}): Promise<Pty> {
  const script = `trap : TERM HUP INT; ${node} ${fixture.path}; echo "code $?"; stty -a`
  const pty = startPty('/bin/sh', ['-c', script], options)
  await pty.until('row 1')
  return pty
}

/** Waits for the end and gives what is on the first screen. */
async function left(pty: Pty): Promise<string> {
  await pty.ended
  const text = pty.text()
  expect(pty.whole()).toBe(true)
  expect(text).toMatch(/(^|[\s;])icanon/)
  expect(text).toMatch(/(^|[\s;])echo[\s;]/)
  return text
}

/** The pid of the program itself, child of the shell. */
async function programOf(pty: Pty): Promise<number> {
  const { readFileSync } = await import('node:fs')
  return Number(readFileSync(`/proc/${pty.pid}/task/${pty.pid}/children`, 'utf8').trim().split(' ')[0])
}

describe('the terminal is whole again', () => {
  it('after q on the outermost screen', async () => {
    const pty = await started()
    pty.press('q', 'q')
    const text = await left(pty)
    expect(text).toContain('left')
    expect(text).toContain('code 0')
  })

  it('after ctrl-c', async () => {
    const pty = await started()
    pty.press('ctrl-c')
    expect(await left(pty)).toContain('left')
  })

  it('after ctrl-c while work is under way and a filter is typed', async () => {
    const pty = await started()
    pty.press('w')
    await pty.until('412 MB of 1.02 GB')
    pty.press('/')
    await pty.until('filter')
    pty.press('ctrl-c')
    expect(await left(pty)).toContain('left')
  })

  it.each(['SIGTERM', 'SIGHUP'] as const)('after %s', async signal => {
    const pty = await started()
    process.kill(await programOf(pty), signal)
    expect(await left(pty)).toContain(`ended by ${signal}`)
  })

  it('after a screen that can not be drawn', async () => {
    const pty = await started()
    pty.press('D')
    const text = await left(pty)
    expect(text).toContain('failed: could not draw')
    expect(text).toContain('code 1')
  })

  it('after an exception that nobody caught', async () => {
    const pty = await started()
    pty.press('T')
    expect(await left(pty)).toContain('failed: thrown late')
  })

  it('after a failing action, which is shown and ends nothing', async () => {
    const pty = await started()
    pty.press('B')
    await pty.until('bad luck')
    pty.press('enter', 'j')
    await pty.until('2 of 10000')
    pty.press('ctrl-c')
    await left(pty)
  })

  it('with the mouse on', async () => {
    const pty = await started()
    pty.send('\x1bm')
    await pty.until('mouse on')
    expect(pty.terminal.modes.mouseTrackingMode).not.toBe('none')
    pty.press('ctrl-c')
    await left(pty)
  })

  it('and the program ends when the terminal goes away', async () => {
    const pty = startPty(node, [fixture.path])
    await pty.until('row 1')
    const { pid } = pty
    pty.kill('SIGHUP')
    await pty.ended
    expect(() => process.kill(pid, 0)).toThrow()
  })
})

describe('without a screen', () => {
  it.each([
    ['TERM=dumb', { TERM: 'dumb' }, ''],
    ['the output is a pipe', {}, ' | cat'],
    ['the input is a file', {}, ' < /dev/null'],
  ])('says so when %s', async (_, environment, redirection) => {
    const pty = startPty('/bin/sh', ['-c', `${node} ${fixture.path}${redirection}`], { environment })
    await pty.ended
    expect(pty.text()).toMatch(/failed: The screens can not be shown. (The (out|in)put is not|TERM=dumb)/)
    expect(pty.written()).not.toContain('\x1b')
  })
})

describe('the colours of a terminal', () => {
  const colour = /\x1b\[(3[0-8]|4[0-8]|9\d|10\d)[;m]/

  it.each([
    ['NO_COLOR', { NO_COLOR: '1' }, false],
    ['a terminal without colours', { TERM: 'vt220' }, false],
    ['16 colours', { TERM: 'xterm' }, true],
    ['truecolour', { COLORTERM: 'truecolor' }, true],
  ] as const)('with %s', async (_, environment, coloured) => {
    const pty = startPty(node, [fixture.path], { environment })
    await pty.until('row 1')
    await pty.frameEnded()
    expect(colour.test(pty.written())).toBe(coloured)
    expect(pty.style(60, 2)).toBe('inverse')
    pty.press('ctrl-c')
    await pty.ended
  })
})
