/**
 * The native helper as tests use it: built once, run as root and as ordinary users that are made for it. With
 * STRATA_NATIVE=sanitized the same tests run on the build with address and undefined-behaviour checks.
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type CommandOptions, type CommandResult, tryCommand } from '../harness/command.ts'

export const nativeFolder = fileURLToPath(new URL('../../native', import.meta.url))
const sanitized = process.env.STRATA_NATIVE === 'sanitized'
export const helperPath = join(nativeFolder, 'build', sanitized ? 'strata-native-sanitized' : 'strata-native')

/** Builds the helper; what the compiler says is in the error. */
export function buildHelper(): void {
  execFileSync('make', ['-s', '-C', nativeFolder, sanitized ? 'sanitize' : 'build/strata-native'], { stdio: 'pipe' })
}

/** Who runs the helper. */
export interface Identity {
  name: string
  uid: number
  gid: number
  /** Root, or an ordinary user with sub-ids or with its own id only. */
  kind: 'root' | 'sub-ids' | 'single id'
}

export const root: Identity = { name: 'root', uid: 0, gid: 0, kind: 'root' }

/** Root and two ordinary users, one with sub-ids and one without; the second function takes them away again. */
export function makeIdentities(): { identities: Identity[]; remove(): void } {
  const names = [`strata-a${process.pid}`, `strata-b${process.pid}`]
  for (const name of names) {
    execFileSync('useradd', ['--no-create-home', '--user-group', '--shell', '/bin/false', name], { stdio: 'pipe' })
    const ranges = execFileSync('sh', ['-c', `grep -h ^${name}: /etc/subuid /etc/subgid || true`]).toString()
    for (const [option, other] of [
      ['--del-subuids', 'uid'],
      ['--del-subgids', 'gid'],
    ]) {
      const given = new Set(ranges.split('\n').flatMap(line => (line === '' ? [] : [line.split(':').slice(1)])))
      for (const [start, count] of given) {
        execFileSync('usermod', [option, `${start}-${Number(start) + Number(count) - 1}`, name], { stdio: 'ignore' })
      }
      if (name === names[0]) execFileSync('usermod', [`--add-sub${other}s`, '900000000-900065535', name])
    }
  }
  const id = (name: string, flag: string) => Number(execFileSync('id', [flag, name]).toString())
  const user = (name: string, kind: Identity['kind']) => ({ name, uid: id(name, '-u'), gid: id(name, '-g'), kind })
  return {
    identities: [root, user(names[0], 'sub-ids'), user(names[1], 'single id')],
    remove: () => names.forEach(name => void execFileSync('userdel', [name], { stdio: 'pipe' })),
  }
}

/** Runs the helper as somebody. */
export function helper(who: Identity, args: string[], options: CommandOptions = {}): Promise<CommandResult> {
  const ids = who.kind === 'root' ? {} : { uid: who.uid, gid: who.gid }
  return tryCommand(helperPath, args, { env: { PATH: '/usr/bin:/bin' }, ...ids, ...options })
}

/** The sentence of the error that a failed run printed last. */
export function errorOf({ stderr }: CommandResult): string {
  const line = stderr.trim().split('\n').at(-1) ?? ''
  return line.startsWith('{') ? (JSON.parse(line) as { error: { text: string } }).error.text : stderr
}

/** What keeps these tests from running here, null when nothing does. */
export function missingForNative(): string | null {
  if (process.getuid!() !== 0) return 'they make users and mounts, for which they must be root'
  for (const program of ['cc', 'make', 'useradd', 'newuidmap', 'busybox', 'unshare']) {
    if (!process.env.PATH?.split(':').some(folder => existsSync(join(folder, program))))
      return `${program} is not installed`
  }
  return null
}
