/**
 * The processes of a container and signals to them. Where they are processes of this machine they are read from /proc and
 * signalled directly; else the engine lists them, and a program in the container sends the signal.
 */
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { Fault, reasonOf } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import { processesOf } from '../runtime/containers/processes.ts'
import type { ContainerFacts, ContainerProcess, Containers } from './containers.ts'
import { userNames } from './native/top.ts'

type Asked = Pick<Containers, 'inspect' | 'top' | 'exec'>

/** Those that run now. Throws a Fault when it does not run. `local`: the engine may be on this machine. */
export async function listProcesses(containers: Asked, id: string, local: boolean): Promise<ContainerProcess[]> {
  const facts = await containers.inspect(id)
  if (local && isOurs(facts)) {
    const found = fromProc(facts.pid)
    if (found.length > 0) return found
  }
  const { titles, rows } = await containers.top(id)
  return fromTop(titles, rows)
}

/** The processes of the pid namespace of a process of this machine. */
export function fromProc(first: number): ContainerProcess[] {
  const names = userNames()
  return processesOf(first).map(({ pid, inside, parent, uid, cpu, resident, started, command }) => ({
    pid,
    inside,
    parent,
    user: names.get(uid) ?? String(uid),
    cpu,
    resident,
    started,
    command,
  }))
}

/** What a list of `ps` tells, by its titles: docker's numbers are the machine's, those of `USER PID …` the container's own. */
export function fromTop(titles: readonly string[], rows: readonly (readonly string[])[]): ContainerProcess[] {
  const single = titles.length === 1 ? titles[0]!.trim().split(/\s+/) : titles
  const at = (...wanted: string[]) => single.findIndex(title => wanted.includes(title.toUpperCase()))
  const places = {
    pid: at('PID'),
    parent: at('PPID'),
    user: at('UID', 'USER'),
    time: at('TIME'),
    command: at('CMD', 'COMMAND'),
  }
  // Docker runs the machine's ps -ef, whose first title is UID; Podman looks from inside.
  const machine = single[0] === 'UID'
  return rows.map(row => {
    // A ps of the container's own comes as one text; its last column may have spaces.
    const cells = row.length === 1 && single.length > 1 ? splitColumns(row[0]!, single.length) : row
    const cell = (place: number) => (place < 0 ? '' : (cells[place] ?? ''))
    const number = /^\d+$/.test(cell(places.pid)) ? Number(cell(places.pid)) : null
    return {
      pid: machine ? number : null,
      inside: machine ? null : number,
      parent: /^\d+$/.test(cell(places.parent)) ? Number(cell(places.parent)) : null,
      user: cell(places.user),
      cpu: seconds(cell(places.time)),
      resident: null,
      started: null,
      command: cell(places.command < 0 ? cells.length - 1 : places.command),
    }
  })
}

/**
 * Sends it, and says how: `directly` from this machine, or `inside` by the container's own `kill`. Throws a Fault when
 * neither can be done, or the process is another one by now.
 */
export async function signalOne(
  containers: Asked,
  id: string,
  { pid, inside, started }: ContainerProcess,
  signal: string,
): Promise<'directly' | 'inside'> {
  if (pid !== null && started !== null) {
    try {
      if (startOf(pid) !== started) throw new Fault(`The process ${pid} has ended.`)
      process.kill(pid, /^\d+$/.test(signal) ? Number(signal) : `SIG${signal}`)
      return 'directly'
    } catch (error) {
      if (error instanceof Fault) throw error
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') throw new Fault(`The process ${pid} has ended.`)
      if (inside === null)
        throw new Fault(`The process ${pid} can not be signalled: ${reasonOf(error)}.`, { cause: error })
    }
  }
  if (inside === null)
    throw new Fault('The engine is not on this machine and does not tell the numbers that its processes have inside.', {
      hint: 'A signal to the whole container reaches its first process: K in the list of containers.',
    })
  await killInside(containers, id, inside, signal)
  return 'inside'
}

/** By `kill`, or by a shell that has it built in. */
async function killInside(containers: Asked, id: string, inside: number, signal: string): Promise<void> {
  const tries = [
    ['kill', '-s', signal, String(inside)],
    ['sh', '-c', 'kill -s "$1" "$2"', 'sh', signal, String(inside)],
  ]
  let reason = ''
  for (const command of tries) {
    const session = await containers.exec(id, { command })
    const said = Promise.all([textOf(session.output), session.errors ? textOf(session.errors) : ''])
    const code = await session.ended
    reason = (await said).join('').trim()
    session.close()
    if (code === 0) return
    if (code !== 126 && code !== 127) break
  }
  throw new Fault(
    `The process ${inside} could not be signalled from inside: ${safe(reason.slice(0, 300)) || 'no reason was given'}.`,
  )
}

async function textOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  let text = ''
  for await (const bytes of stream) if (text.length < 4096) text += bytes
  return text
}

/** Whether the number means a process of this machine: a daemon in a machine of its own has numbers of its own. */
function isOurs({ pid, id, overlay }: ContainerFacts): boolean {
  if (pid <= 0) return false
  const tells = (file: string, text: string) => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'latin1').includes(text)
    } catch {
      return false
    }
  }
  return tells('cgroup', id) || (overlay !== null && tells('mountinfo', overlay.upper))
}

/** Seconds since boot, as `processesOf` gives it; null when there is no such process. */
function startOf(pid: number): number | null {
  return processesOf(pid).find(one => one.pid === pid)?.started ?? null
}

function splitColumns(text: string, count: number): string[] {
  const words = text.trim().split(/\s+/)
  return [...words.slice(0, count - 1), words.slice(count - 1).join(' ')]
}

/** `1-02:03:04`, `02:03:04`, `3m12.5s`: processor time in seconds; null for what is none. */
function seconds(text: string): number | null {
  const parts = /^(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)$/.exec(text)
  if (parts)
    return Number(parts[1] ?? 0) * 86_400 + Number(parts[2] ?? 0) * 3600 + Number(parts[3]) * 60 + Number(parts[4])
  const go = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?$/.exec(text)
  if (!go || text === '') return null
  return Number(go[1] ?? 0) * 3600 + Number(go[2] ?? 0) * 60 + Number(go[3] ?? 0)
}
