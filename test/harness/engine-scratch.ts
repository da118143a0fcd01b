/**
 * Scratch folders for real engines. Whatever an engine leaves behind (processes, mounts, bridges, cgroups, users) is
 * written down in the folder when it is made, so that it is taken away again: by `close`, by the reaper process when
 * the test process dies half way, and by the next run when even the reaper was killed.
 */
import { spawn } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { command, tryCommand, until } from './command.ts'

const prefix = 'strata-engine-'
const reaper = fileURLToPath(new URL('./engine-reaper.ts', import.meta.url))

/** What a scratch folder may own beside its files. A pid file holds the number of a process to end. */
export type Resource = 'pid-file' | 'bridge' | 'cgroup' | 'user'

export interface Scratch {
  /** Absolute, short enough for unix sockets inside. */
  path: string
  /** Writes down, before it is made, what has to go with the folder. */
  owns(resource: Resource, name: string): void
  /** A new folder inside. */
  folder(name: string, mode?: number): string
  /** Ends everything in it and removes it. */
  close(): Promise<void>
}

/** Makes a scratch folder that is gone after `close` or after the death of this process. Sweeps what dead runs left. */
export async function openScratch(): Promise<Scratch> {
  await sweepLeftovers()
  const path = mkdtempSync(join(tmpdir(), prefix))
  writeFileSync(join(path, 'owner'), `${process.pid} ${startOf(process.pid)}`)
  const watcher = spawn(process.execPath, [reaper, path], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  const watcherGone = new Promise(resolve => watcher.on('exit', resolve))
  watcher.unref()
  ;(watcher.stdin as unknown as { unref(): void }).unref()
  return {
    path,
    owns: (resource, name) => appendFileSync(join(path, 'resources'), `${resource} ${name}\n`),
    folder(name, mode = 0o755) {
      const folder = join(path, name)
      mkdirSync(folder, { recursive: true, mode })
      return folder
    },
    async close() {
      await removeScratch(path)
      watcher.ref()
      watcher.stdin.end()
      await watcherGone
    },
  }
}

/** Removes the scratch folders whose test process is dead. Others, of runs that are going on, are left alone. */
export async function sweepLeftovers(): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(prefix)) continue
    const path = join(tmpdir(), name)
    const [pid, start] = textOf(join(path, 'owner')).split(' ')
    if (pid && startOf(Number(pid)) !== start) await removeScratch(path)
  }
}

/** Ends and removes everything that a scratch folder owns, then the folder. Safe to call twice. */
export async function removeScratch(path: string): Promise<void> {
  const owned = textOf(join(path, 'resources')).split('\n').filter(Boolean)
  const named = (resource: Resource) =>
    owned.filter(line => line.startsWith(`${resource} `)).map(line => line.slice(resource.length + 1))
  for (const file of named('pid-file').reverse()) await endProcess(Number(textOf(file)), 'SIGTERM')
  for (const pid of processesIn(path)) await endProcess(pid, 'SIGKILL')
  for (const name of named('user')) await removeUser(name)
  for (const mount of mountsIn(path)) await tryCommand('umount', ['-l', mount])
  for (const name of named('bridge')) await tryCommand('ip', ['link', 'delete', name])
  for (const name of named('cgroup')) removeCgroups(name)
  await until(() => removed(path), { within: 20_000, failure: () => `${path} can not be removed` })
}

/** When a process was started, in clock ticks since boot as text: tells two processes of one number apart. */
function startOf(pid: number): string {
  const stat = textOf(`/proc/${pid}/stat`)
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' ? '' : (fields[19] ?? '')
}

async function endProcess(pid: number, signal: NodeJS.Signals): Promise<void> {
  const start = pid > 1 ? startOf(pid) : ''
  if (start === '') return
  signalProcess(pid, signal)
  try {
    await until(() => startOf(pid) !== start, { within: 20_000 })
  } catch {
    if (signal !== 'SIGKILL') return endProcess(pid, 'SIGKILL')
  }
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {}
}

/** Processes whose command line or working directory lies in the folder: shims, monitors and what runs under them. */
function processesIn(path: string): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => {
      if (pid === process.pid || pid === process.ppid) return false
      const line = textOf(`/proc/${pid}/cmdline`)
      return line.includes(path) && !line.includes(reaper)
    })
}

async function removeUser(name: string): Promise<void> {
  const { code, stdout } = await tryCommand('id', ['-u', name])
  if (code !== 0) return
  const uid = stdout.toString().trim()
  for (const pid of processesOf(Number(uid))) await endProcess(pid, 'SIGKILL')
  await command('userdel', ['-f', name])
  for (const left of [`containers-user-${uid}`, `podman-run-${uid}`])
    rmSync(join('/tmp', left), { recursive: true, force: true })
}

function processesOf(uid: number): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => new RegExp(`^Uid:\\s+${uid}\\s`, 'm').test(textOf(`/proc/${pid}/status`)))
}

/** Mount points in the folder, deepest first. */
function mountsIn(path: string): string[] {
  return textOf('/proc/self/mountinfo')
    .split('\n')
    .map(line =>
      (line.split(' ')[4] ?? '').replace(/\\(\d{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8))),
    )
    .filter(mount => mount.startsWith(`${path}/`))
    .sort((a, b) => b.length - a.length)
}

function removeCgroups(name: string): void {
  for (const controller of ['', ...list('/sys/fs/cgroup')]) removeTree(join('/sys/fs/cgroup', controller, name))
}

function removeTree(cgroup: string): void {
  for (const child of list(cgroup)) removeTree(join(cgroup, child))
  try {
    rmdirSync(cgroup)
  } catch {}
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter(entry => entry.isDirectory())
      .map(entry => entry.name)
  } catch {
    return []
  }
}

function removed(path: string): boolean {
  try {
    rmSync(path, { recursive: true, force: true })
    return true
  } catch {
    return false
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
