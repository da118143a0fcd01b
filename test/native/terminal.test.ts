/** A container on a terminal of its own, and the helper between it and ours. */
import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { startPty } from '../harness/pty.ts'
import { helperPath } from './helper.ts'
import type { Room } from './room.ts'
import { asEverybody } from './suite.ts'

function start(room: Room, script: string) {
  const { kind, uid, gid } = room.who
  const bundle = room.bundle({ args: ['sh', '-c', script], process: { terminal: true } })
  const as = kind === 'root' ? [] : ['--reuid', String(uid), '--regid', String(gid), '--clear-groups']
  return startPty('setpriv', [...as, '--', helperPath, 'run', '--foreground', '--bundle', bundle, 'x'])
}

asEverybody('terminal', room => {
  test('it is a terminal of the container, in a session of its own, with the size of ours', async () => {
    const pty = start(
      room(),
      'tty; stty size; test -c /dev/console && echo console; exec 9<>/dev/tty && echo controlling',
    )
    expect((await pty.ended).code).toBe(0)
    expect(
      pty
        .text()
        .trim()
        .split('\n')
        .map(line => line.trim()),
    ).toEqual(['/dev/pts/0', '36 120', 'console', 'controlling'])
  })

  test('keys go in, what is shown comes out, a new size is told, the exit status is the command’s', async () => {
    const pty = start(
      room(),
      'trap "stty size" WINCH; echo ready; while [ -z "$line" ]; do read line; done; echo "got $line"; exit 5',
    )
    await pty.until('ready')
    pty.resize(90, 30)
    await pty.until('30 90')
    pty.send('hello\r')
    expect((await pty.ended).code).toBe(5)
    expect(pty.text()).toContain('got hello')
  })

  test('an interrupt reaches the command in the container, not the helper', async () => {
    const pty = start(room(), 'trap "echo interrupted; exit 6" INT; echo ready; while :; do sleep 0.05; done')
    await pty.until('ready')
    pty.send('\x03')
    expect((await pty.ended).code).toBe(6)
    expect(pty.text()).toContain('interrupted')
  })

  test('everything that was written before the end arrives', async () => {
    const pty = start(room(), 'i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done')
    await pty.ended
    expect(pty.text()).toContain('line 2999')
  })

  test('our terminal is as it was', async () => {
    const { kind, uid, gid } = room().who
    const bundle = room().bundle({ args: ['sh', '-c', 'stty raw -echo; exit 0'], process: { terminal: true } })
    const as = kind === 'root' ? '' : `setpriv --reuid ${uid} --regid ${gid} --clear-groups`
    const script = `stty -g; ${as} ${helperPath} run --foreground --bundle ${bundle} x; stty -g`
    const pty = startPty(execFileSync('sh', ['-c', 'command -v sh']).toString().trim(), ['-c', script])
    await pty.ended
    const [before, after] = pty.text().trim().split('\n')
    expect(after).toBe(before)
  })
})
