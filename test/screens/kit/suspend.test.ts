/** Giving the terminal away and getting it back: ctrl-z and fg, a child, a pager; and what a resize does meanwhile. */
import { readFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { bundleFixture, node } from '../../harness/bundle.ts'
import { startPty } from '../../harness/pty.ts'

const fixture = bundleFixture('kit.tsx')
afterAll(() => fixture.remove())

/** An interactive shell with the program started in it. */
async function inShell() {
  const pty = startPty('/bin/bash', ['--norc', '--noprofile', '-i'], { environment: { PS1: 'outer$ ', HISTFILE: '' } })
  await pty.until('outer$')
  pty.send("bind 'set enable-bracketed-paste off'\r")
  pty.send(`${node} ${fixture.path}\r`)
  await pty.until('row 1')
  return pty
}

/** The process group in the foreground of the terminal of a process (proc(5), stat: tpgid). */
function foreground(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[5])
}

describe('ctrl-z', () => {
  it('gives the shell its terminal, and fg brings the screen back as it was', async () => {
    const pty = await inShell()
    pty.press('j', 'j')
    await pty.until('3 of 10000')
    pty.press('ctrl-z')
    await pty.until(/Stopped/)
    expect(pty.whole()).toBe(true)
    pty.send('stty -a | tr ";" "\\n" | grep -c " icanon"; echo shell has $((20 + 22))\r')
    await pty.until('shell has 42')
    pty.send('fg\r')
    await pty.until('3 of 10000')
    pty.press('j')
    await pty.until('4 of 10000')
    pty.press('ctrl-c')
    await pty.until('left')
    pty.send('exit\r')
    await pty.ended
  })

  it('is not the only way to be stopped: whoever continues it, the screen is drawn and keys are read', async () => {
    const pty = await inShell()
    process.kill(foreground(pty.pid), 'SIGSTOP')
    await pty.until(/Stopped/)
    pty.send('clear\r')
    await pty.until(screen => !screen.includes('row 1'))
    pty.send('fg\r')
    await pty.until('row 1')
    pty.press('j')
    await pty.until('2 of 10000')
    pty.press('ctrl-c')
    await pty.until('left')
    pty.send('exit\r')
    await pty.ended
  })

  it('draws at the size that the terminal has got meanwhile', async () => {
    const pty = await inShell()
    pty.press('ctrl-z')
    await pty.until(/Stopped/)
    pty.resize(90, 30)
    pty.send('fg\r')
    await pty.until(screen => screen.split('\n')[29]?.includes('? help') ?? false)
    expect(pty.line(1).length).toBe(90)
    pty.press('ctrl-c')
    await pty.until('left')
    pty.send('exit\r')
    await pty.ended
  })

  it('does nothing where no shell could continue it', async () => {
    const pty = startPty(node, [fixture.path])
    await pty.until('row 1')
    pty.press('ctrl-z', 'j')
    await pty.until('2 of 10000')
    pty.press('ctrl-c')
    await pty.ended
  })
})

describe('a child on the terminal', () => {
  it('gets every key, and the screen comes back at the new size', async () => {
    const pty = startPty(node, [fixture.path])
    await pty.until('row 1')
    pty.press('s')
    await pty.until('inner$')
    for (let line = 1; line <= 10; line++) {
      pty.send(`echo line $((${line} + 100))\r`)
      await pty.until(`line ${line + 100}`)
    }
    pty.resize(100, 24)
    pty.send('exit\r')
    await pty.until(screen => screen.split('\n')[23]?.includes('? help') ?? false)
    pty.press('j')
    await pty.until('2 of 10000')
    pty.press('ctrl-c')
    await pty.ended
  })

  it('is the pager that the person has set', async () => {
    const pty = startPty(node, [fixture.path], { environment: { PAGER: 'sed -n 150p; read -r _ < /dev/tty' } })
    await pty.until('row 1')
    pty.press('P')
    await pty.until('line 150')
    pty.send('\r')
    await pty.until('row 1')
    pty.press('ctrl-c')
    await pty.ended
  })

  it('that can not be started is told', async () => {
    const pty = startPty(node, [fixture.path], { environment: { PAGER: 'no-such-pager' } })
    await pty.until('row 1')
    pty.press('P')
    await pty.until('The pager "no-such-pager" could not be started.')
    pty.press('enter', 'ctrl-c')
    await pty.ended
  })
})

describe('keys', () => {
  it('that come in one read are all of them done', async () => {
    const pty = startPty(node, [fixture.path])
    await pty.until('row 1')
    pty.send('j'.repeat(60))
    await pty.until('61 of 10000')
    pty.send(`${'k'.repeat(20)}${'\x1b[B'.repeat(5)}\r`)
    await pty.until('row 46')
    pty.press('ctrl-c')
    await pty.ended
  })

  it('typed before the first frame do not tear it', async () => {
    const pty = startPty(node, [fixture.path])
    for (let at = 0; at < 40; at++) pty.send('j')
    await pty.until(/[0-9]+ of 10000/)
    pty.send('g')
    await pty.until(/ 1 of 10000/)
    const rules = pty.text().split('\n')
    expect(rules[1]).toMatch(/^╭ Layers ─+╮╭ Tree {2}Changes {2}Waste ─+╮$/)
    expect(rules.slice(2, 34).every(line => /^│.{46}││.{70}│$/.test(line))).toBe(true)
    pty.press('ctrl-c')
    await pty.ended
  })
})

describe('resizing', () => {
  it('many times in a row ends in a frame of the last size', async () => {
    const pty = startPty(node, [fixture.path])
    await pty.until('row 1')
    const sizes: [number, number][] = [
      [80, 24],
      [20, 5],
      [300, 100],
      [10, 3],
      [60, 15],
      [200, 60],
      [40, 12],
      [97, 31],
    ]
    for (const [columns, rows] of sizes) {
      pty.resize(columns, rows)
      pty.press('j')
    }
    await pty.until(screen => screen.split('\n')[30]?.includes('? help') ?? false)
    await pty.until('9 of 10000')
    const lines = pty.text().split('\n')
    expect(lines[1]).toHaveLength(97)
    expect(lines.slice(2, 29).every(line => line.length === 97 && line.endsWith('│'))).toBe(true)
    pty.press('ctrl-c')
    await pty.ended
  })
})

describe('an idle screen', () => {
  it('writes nothing', async () => {
    const pty = startPty(node, [fixture.path])
    await pty.until('row 1')
    pty.press('j')
    await pty.until('2 of 10000')
    await pty.frameEnded()
    pty.written()
    // Not a wait for something: the second itself is what is measured.
    await new Promise(resolve => setTimeout(resolve, 1000))
    expect(pty.written()).toBe('')
    pty.press('ctrl-c')
    await pty.ended
  })
})
