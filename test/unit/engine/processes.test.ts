/** Processes as engines list them, and signals that reach exactly one of them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ContainerFacts, ContainerProcess, ExecSpec, Session } from '../../../src/engine/containers.ts'
import { fromProc, fromTop, listProcesses, signalOne } from '../../../src/engine/processes.ts'

describe('what ps lists', () => {
  it("has the machine's numbers where it is docker's", () => {
    const titles = ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD']
    const rows = [['root', '6400', '12570', '0', '11:14', '?', '1-02:03:04', 'sleep 1 2']]
    expect(fromTop(titles, rows)).toEqual([
      {
        pid: 6400,
        inside: null,
        parent: 12570,
        user: 'root',
        cpu: 93784,
        resident: null,
        started: null,
        command: 'sleep 1 2',
      },
    ])
  })

  it("has the container's own where Podman looks from inside", () => {
    const titles = ['USER', 'PID', 'PPID', '%CPU', 'ELAPSED', 'TTY', 'TIME', 'COMMAND']
    const [one] = fromTop(titles, [['root', '7', '1', '0.000', '2m3.5s', '?', '3m12.5s', 'top -b']])
    expect(one).toMatchObject({ pid: null, inside: 7, parent: 1, cpu: 192.5, command: 'top -b' })
  })

  it('may be one text, of a ps of the container', () => {
    const [one] = fromTop(['PID   USER     COMMAND'], [['   12 root     sleep 500 and more']])
    expect(one).toMatchObject({ inside: 12, user: 'root', command: 'sleep 500 and more' })
  })

  it.each([[[]], [['x']], [['', '', '']]])('survives rows that are none: %j', row => {
    expect(fromTop(['USER', 'PID', 'CMD'], [row])[0]).toMatchObject({ pid: null, inside: null })
  })
})

/** Containers whose programs end with these codes, and what they were asked. */
function asked(...codes: number[]) {
  const commands: string[][] = []
  const exec = async (_: string, { command }: ExecSpec): Promise<Session> => {
    commands.push([...command])
    return {
      input: null,
      output: Readable.from([]),
      errors: Readable.from([Buffer.from('no such thing')]),
      resize: async () => {},
      ended: Promise.resolve(codes.shift() ?? 0),
      close() {},
    }
  }
  const inspect = async () => ({ pid: process.pid, id: 'f'.repeat(64), overlay: null }) as unknown as ContainerFacts
  const top = async () => ({ titles: ['USER', 'PID', 'CMD'], rows: [['root', '1', 'init']] })
  return { commands, containers: { exec, inspect, top } }
}

const inner: ContainerProcess = {
  pid: null,
  inside: 7,
  parent: null,
  user: '',
  cpu: null,
  resident: null,
  started: null,
  command: '',
}

describe('processes of this machine', () => {
  it('are signalled directly, and only while they are the ones that were seen', async () => {
    const child = spawn('sleep', ['1000'])
    const ended = once(child, 'exit')
    onTestFinished(() => void child.kill('SIGKILL'))
    const { containers, commands } = asked()
    const seen = fromProc(process.pid).find(one => one.pid === child.pid)!
    expect(seen.command).toBe('sleep 1000')
    const another = { ...seen, started: seen.started! - 1 }
    await expect(signalOne(containers, 'x', another, 'TERM')).rejects.toThrow('has ended')
    expect(await signalOne(containers, 'x', seen, 'TERM')).toBe('directly')
    expect((await ended)[1]).toBe('SIGTERM')
    expect(commands).toEqual([])
  })

  it('are not taken for those of a container whose daemon counts in a machine of its own', async () => {
    const { containers } = asked()
    // Our own number, but nothing of that container: its engine is asked.
    expect(await listProcesses(containers, 'x', true)).toMatchObject([{ inside: 1, command: 'init' }])
  })
})

describe('processes of elsewhere', () => {
  it('are signalled by a program in the container, or by a shell where there is none', async () => {
    const one = asked(0)
    expect(await signalOne(one.containers, 'x', inner, 'HUP')).toBe('inside')
    expect(one.commands).toEqual([['kill', '-s', 'HUP', '7']])
    const two = asked(127, 0)
    await signalOne(two.containers, 'x', inner, 'HUP')
    expect(two.commands[1]).toEqual(['sh', '-c', 'kill -s "$1" "$2"', 'sh', 'HUP', '7'])
  })

  it('say why not', async () => {
    await expect(signalOne(asked(1).containers, 'x', inner, 'HUP')).rejects.toThrow('no such thing')
    const far = { ...inner, inside: null, pid: 12 }
    await expect(signalOne(asked().containers, 'x', far, 'HUP')).rejects.toThrow('does not tell the numbers')
  })
})
