/**
 * A machine of a test's own for networks: namespaces in which the program runs as on a host with one interface, 10.5.0.1, and
 * beside it an outside, 10.5.0.2, reached by it. What the real machine's network is like, and what becomes of it, plays no part.
 */
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { node } from '../harness/bundle.ts'
import { type CommandResult, tryCommand, until } from '../harness/command.ts'
import { dockerArchive } from '../harness/docker-archives.ts'
import { program } from '../harness/strata.ts'
import { entry, tar } from '../harness/tar.ts'
import { helperPath, type Identity } from './helper.ts'

export interface Said {
  code: number
  out: string
  err: string
}

export interface World {
  path: string
  /** A shell command on the machine, as root. */
  host(command: string): Promise<string>
  /** And outside of it. */
  outside(command: string): Promise<string>
  /** Answers whoever connects to a port of the outside (answer.c); until the world ends. */
  listen(port: number): Promise<void>
  /** The program, as somebody who has the image `app:1`. */
  person(who: Identity): Promise<(...args: string[]) => Promise<Said>>
  /** Links, rules of the firewall, forwarding: what must be as before. */
  look(): Promise<string>
  end(): void
}

export async function makeWorld(): Promise<World> {
  const path = mkdtempSync(join(tmpdir(), 'strata-world-'))
  chmodSync(path, 0o755)
  const answer = join(path, 'answer')
  const source = fileURLToPath(new URL('./answer.c', import.meta.url))
  execFileSync('cc', ['-static', '-O1', '-o', answer, source], { stdio: 'pipe' })
  // /dev/net/tun is everybody's in here, as it is on most machines.
  const tun = join(path, 'tun')
  execFileSync('mknod', ['-m', '666', tun, 'c', '10', '200'])
  const outer = hold(['-n'], 'sleep 100000')
  const inner = hold(['-n', '-m'], `mount --make-rprivate / && mount --bind ${tun} /dev/net/tun && sleep 100000`)
  const inside = (...more: string[]) => ['-t', String(inner.pid), '-n', '-m', ...more]
  const shell = async (words: string[], command: string) => {
    const { code, stdout, stderr } = await tryCommand('nsenter', [...words, 'bash', '-c', command])
    if (code !== 0) throw new Error(`${command} ended with ${code}: ${stderr}`)
    return stdout.toString()
  }
  const host = (command: string) => shell(inside(), command)
  const outside = (command: string) => shell(['-t', String(outer.pid), '-n'], command)
  const listeners: { kill(): void }[] = []
  await until(() =>
    [inner, outer].every(one => execFileSync('cat', [`/proc/${one.pid}/comm`]).toString() !== 'unshare\n'),
  )
  await until(async () => (await host('stat -c %a /dev/net/tun')).trim() === '666')
  await host(`ip link set lo up && ip link add up0 type veth peer name up1 netns ${outer.pid}`)
  await host('ip addr add 10.5.0.1/24 dev up0 && ip link set up0 up && echo 0 >/proc/sys/net/ipv4/ip_forward')
  await outside('ip link set lo up && ip addr add 10.5.0.2/24 dev up1 && ip link set up1 up')
  await host('ip route add default via 10.5.0.2')

  return {
    path,
    host,
    outside,
    async listen(port) {
      const one = spawn('nsenter', ['-t', String(outer.pid), '-n', answer, 'tcp', String(port)], { stdio: 'ignore' })
      listeners.push({ kill: () => one.kill('SIGKILL') })
      await until(async () => (await outside('ss -ltn')).includes(`:${port} `))
    },
    async person({ name, uid, gid }) {
      const home = join(path, name)
      mkdirSync(home)
      chownSync(home, uid, gid)
      const env = {
        PATH: '/usr/bin:/bin',
        HOME: home,
        STRATA_ROOT: join(home, 'strata'),
        STRATA_NATIVE_HELPER: helperPath,
        XDG_CACHE_HOME: join(home, 'cache'),
        XDG_RUNTIME_DIR: home,
      }
      const strata = async (...args: string[]): Promise<Said> => {
        const ids = ['-S', String(uid), '-G', String(gid)]
        const said: CommandResult = await tryCommand('nsenter', inside(...ids, node, program(), ...args), { env })
        return { code: said.code, out: said.stdout.toString(), err: said.stderr }
      }
      const archive = join(home, 'app.tar')
      const config = { Env: ['PATH=/bin'], Cmd: ['sleep', '1000'] }
      writeFileSync(archive, dockerArchive({ layers: [layer(answer)], names: ['app:1'], config }, 'docker-25'))
      const loaded = await strata('load', '-i', archive)
      if (loaded.code !== 0) throw new Error(loaded.err)
      return strata
    },
    look: () => host('ip -o link | sed "s/ state .*//"; nft list ruleset; cat /proc/sys/net/ipv4/ip_forward'),
    end() {
      for (const one of [...listeners, inner, outer]) one.kill('SIGKILL' as never)
      rmSync(path, { recursive: true, force: true })
    },
  }
}

/** Namespaces that are there until it is killed. */
function hold(flags: string[], command: string) {
  return spawn('unshare', [...flags, 'sh', '-c', `exec 2>/dev/null; ${command}`], { stdio: 'ignore' })
}

/** busybox and the answering program. */
function layer(answer: string): Uint8Array {
  const busybox = execFileSync('sh', ['-c', 'command -v busybox']).toString().trim()
  const names = 'sh cat echo sleep true nc ip ping hostname id'.split(' ')
  return tar(
    'dir bin',
    entry({ path: 'bin/busybox', body: readFileSync(busybox), mode: 0o755 }),
    entry({ path: 'bin/answer', body: readFileSync(answer), mode: 0o755 }),
    names.map(name => `link bin/${name} -> busybox`).join('\n'),
  )
}
