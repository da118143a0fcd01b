/** A folder in which somebody keeps layers and containers: unpacked by the helper, removed by the helper. */
import { execFileSync } from 'node:child_process'
import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CommandResult } from '../harness/command.ts'
import { entry, type Piece, tar } from '../harness/tar.ts'
import { errorOf, helper, type Identity } from './helper.ts'

const applets =
  'sh cat ls id echo sleep true false mkdir touch rm mv ln chmod stat env pwd mount hostname kill ps ip tty stty ulimit test find head umount readlink yes wc grep tr'

/** Everything of a config.json that a test says; the rest is usual. */
export interface Wish {
  args: string[]
  env?: string[]
  cwd?: string
  process?: Record<string, unknown>
  linux?: Record<string, unknown>
  strata?: Record<string, unknown>
  top?: Record<string, unknown>
  overlay?: Record<string, unknown>
  /** No upper directory: nothing can be written. */
  frozen?: boolean
}

export interface Room {
  path: string
  who: Identity
  /** Unpacks a layer on top of those that are there. */
  add(layer: Uint8Array, options?: string[]): Promise<CommandResult>
  layers: string[]
  /** Writes a bundle of a new container and gives its folder. */
  bundle(wish: Wish): string
  /** Runs it to its end. */
  run(wish: Wish, options?: { input?: string; args?: string[] }): Promise<CommandResult>
  /** The lines of `diff` of the container that was written last, "A /path". */
  diff(): Promise<string[]>
  remove(): Promise<void>
}

let programs: Piece[] | null = null

/** busybox and the probe, which is compiled once. */
function baseLayer(): Uint8Array {
  if (programs === null) {
    const folder = mkdtempSync(join(tmpdir(), 'strata-probe-'))
    const source = fileURLToPath(new URL('./probe.c', import.meta.url))
    try {
      execFileSync('cc', ['-static', '-O1', '-o', join(folder, 'probe'), source], { stdio: 'pipe' })
      const busybox = execFileSync('sh', ['-c', 'command -v busybox']).toString().trim()
      programs = [
        entry({ path: 'bin/busybox', body: readFileSync(busybox), mode: 0o755 }),
        entry({ path: 'bin/probe', body: readFileSync(join(folder, 'probe')), mode: 0o755 }),
      ]
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
  const links = applets.split(' ').map(name => `link bin/${name} -> busybox`)
  return tar('dir bin', ...programs, links.join('\n'), 'dir tmp 01777\ndir etc\nfile inside-the-container 0')
}

/** A room with the base layer in it. */
export async function makeRoom(who: Identity): Promise<Room> {
  const path = mkdtempSync(join(tmpdir(), 'strata-native-'))
  chownSync(path, who.uid, who.gid)
  const layers: string[] = []
  let containers = 0
  let unpacked = 0
  const own = (folder: string) => {
    mkdirSync(folder)
    chownSync(folder, who.uid, who.gid)
  }
  const room: Room = {
    path,
    who,
    layers,
    async add(layer, options = []) {
      const into = join(path, `layer-${unpacked++}`)
      const below = layers.flatMap(folder => ['--lower', folder])
      const result = await helper(who, ['unpack', ...options, ...below, into], { input: layer })
      if (result.code === 0) layers.unshift(into)
      return result
    },
    bundle(wish) {
      const folder = join(path, `container-${++containers}`)
      own(folder)
      for (const name of ['upper', 'work']) own(join(folder, name))
      const writable = wish.frozen ? {} : { upper: join(folder, 'upper'), work: join(folder, 'work') }
      const config = {
        ociVersion: '1.2.0',
        process: { args: wish.args, env: ['PATH=/bin', ...(wish.env ?? [])], cwd: wish.cwd ?? '/', ...wish.process },
        ...(wish.linux ? { linux: wish.linux } : {}),
        strata: { overlay: { lower: layers, ...writable, ...wish.overlay }, ...wish.strata },
        ...wish.top,
      }
      writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
      return folder
    },
    async run(wish, { input = '', args = [] } = {}) {
      return helper(who, ['run', '--foreground', '--bundle', room.bundle(wish), ...args, 'test'], { input })
    },
    async diff() {
      const below = layers.flatMap(folder => ['--lower', folder])
      const result = await helper(who, ['diff', ...below, join(path, `container-${containers}`, 'upper')])
      if (result.code !== 0) throw new Error(errorOf(result))
      const lines = result.stdout.toString().split('\n').slice(0, -1)
      return lines.map(line => JSON.parse(line) as { change: string; path: string }).map(d => `${d.change} ${d.path}`)
    },
    async remove() {
      // What containers own is not the user's to remove; the folder itself lies in a folder of root.
      const inside = execFileSync('find', [path, '-mindepth', '1', '-maxdepth', '1'])
        .toString()
        .split('\n')
        .slice(0, -1)
      const result = inside.length === 0 ? null : await helper(who, ['rm', ...inside])
      if (result !== null && result.code !== 0) throw new Error(errorOf(result))
      rmSync(path, { recursive: true })
    },
  }
  const result = await room.add(baseLayer(), ['--bottom'])
  if (result.code !== 0) throw new Error(errorOf(result))
  return room
}

/** The output of a container as text, without the last line end; an error where it failed. */
export async function output(room: Room, ...args: string[]): Promise<string> {
  return outputOf(await room.run({ args }))
}

export function outputOf(result: CommandResult): string {
  if (result.code !== 0) throw new Error(`ended with ${result.code}: ${result.stderr}`)
  return result.stdout.toString().replace(/\n$/, '')
}
