/** A home of somebody with the image `app:1` in the native store, and docker's verbs there as a person types them. */
import { execFileSync } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { node } from '../harness/bundle.ts'
import { tryCommand, until } from '../harness/command.ts'
import { dockerArchive } from '../harness/docker-archives.ts'
import { program } from '../harness/strata.ts'
import { entry, type Piece, tar } from '../harness/tar.ts'
import { helperPath } from './helper.ts'
import type { Room } from './room.ts'

export interface Said {
  code: number
  out: string
  err: string
}

export interface Place {
  root: string
  strata(...args: string[]): Promise<Said>
  /** A verb that has to succeed; its output without the last line end. */
  say(...args: string[]): Promise<string>
  inspect(name: string): Promise<Inspected>
  /** Runs it in the background, without a network; removed when the test is over. Gives its id. */
  run(name: string, ...args: string[]): Promise<string>
  /** Its facts once they are so. */
  until(name: string, is: (facts: Inspected) => boolean): Promise<Inspected>
  /** What there is of containers: folders, states, names. */
  left(): string[]
  volumes(): string[]
}

export interface Inspected {
  state: string
  status: string
  health: string | null
  exitCode: number | null
  restarts: number
  pid: number
  mounts: { kind: string; name: string | null; destination: string }[]
  raw: { State: { Health?: { Status: string; FailingStreak: number; Log: { ExitCode: number; Output: string }[] } } }
}

/** The archive of `app:1`: busybox, and what else its layer has. `docker load` takes it too. */
export function appArchive(config: Record<string, unknown>, ...more: (string | Piece)[]): Uint8Array {
  const busybox = execFileSync('sh', ['-c', 'command -v busybox']).toString().trim()
  const names =
    'sh cat ls id echo sleep true false mkdir touch rm ln chmod chown stat find sort kill ps mount grep dd test'
  const links = names.split(' ').map(name => `link bin/${name} -> busybox`)
  const layer = tar(
    'dir bin',
    entry({ path: 'bin/busybox', body: readFileSync(busybox), mode: 0o755 }),
    `${links.join('\n')}\ndir tmp 01777\ndir etc\nfile etc/motd 5`,
    ...more,
  )
  return dockerArchive({ layers: [layer], names: ['app:1'], config: { Env: ['PATH=/bin'], ...config } }, 'docker-25')
}

const places = new Map<string, Promise<Place>>()

/** Made once for a room and a name. */
export function placeIn(room: Room, name: string, archive: () => Uint8Array): Promise<Place> {
  const path = join(room.path, name)
  const known = places.get(path) ?? makePlace(room, path, archive())
  places.set(path, known)
  return known
}

async function makePlace({ who: { uid, gid } }: Room, home: string, archive: Uint8Array): Promise<Place> {
  mkdirSync(home, { recursive: true })
  chownSync(home, uid, gid)
  const root = join(home, 'strata')
  const env = {
    PATH: '/usr/bin:/bin',
    HOME: home,
    STRATA_ROOT: root,
    STRATA_NATIVE_HELPER: helperPath,
    XDG_CACHE_HOME: join(home, 'cache'),
    XDG_RUNTIME_DIR: home,
    TZ: 'UTC',
  }
  const names = (path: string, like: RegExp) =>
    existsSync(join(root, path)) ? readdirSync(join(root, path)).filter(one => like.test(one)) : []
  const place: Place = {
    root,
    async strata(...args) {
      const own = { env, uid, gid, cwd: home }
      const { code, stdout, stderr } = await tryCommand(node, [program(), ...args], own)
      return { code, out: stdout.toString(), err: stderr }
    },
    async say(...args) {
      const { code, out, err } = await place.strata(...args)
      if (code !== 0) throw new Error(`strata ${args.join(' ')} ended with ${code}: ${err}`)
      return out.replace(/\n$/, '')
    },
    async run(name, ...args) {
      onTestFinished(async () => void (await place.strata('rm', '-f', '-v', name)))
      return place.say('run', '-d', '--network', 'none', '--name', name, ...args)
    },
    inspect: async name => JSON.parse(await place.say('inspect', name)) as Inspected,
    async until(name, is) {
      let last: Inspected | null = null
      const failure = () => `${name} is ${JSON.stringify(last)}`
      await until(async () => is((last = await place.inspect(name))), { within: 20_000, failure })
      return last!
    },
    left: () => [
      ...names('containers', /^[0-9a-f]{64}$/),
      ...names('state', /^[0-9a-f]{64}$/),
      ...names('containers/names', /./),
    ],
    volumes: () => names('store/volumes', /./).sort(),
  }
  writeFileSync(join(home, 'app.tar'), archive)
  chownSync(join(home, 'app.tar'), uid, gid)
  await place.say('load', '-i', join(home, 'app.tar'))
  return place
}
