/**
 * Root file systems with engines newer than the machine's, made by debootstrap and kept between runs in a folder
 * (STRATA_TEST_CACHE, else one in the temporary folder). They are only read: an engine in one of them runs in a mount
 * namespace of its own, which goes with it, and writes to its scratch folder, at the same path inside and outside.
 */
import { existsSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { command } from './command.ts'

/** sid: Docker 28.5, Podman 5.8. trixie: Docker 26.1, Podman 5.4. */
export type Suite = 'sid' | 'trixie'

export const cacheFolder = process.env.STRATA_TEST_CACHE || join(tmpdir(), 'strata-test-cache')

const packages = [
  'docker.io',
  'docker-cli',
  'containerd',
  'runc',
  'iptables',
  'ca-certificates',
  'podman',
  'crun',
  'bubblewrap',
]
const more: Record<Suite, string[]> = { sid: ['docker-buildx'], trixie: [] }

/** The folder with a suite's root file system. The first call makes it, which takes a minute or two. */
export async function newerRoot(suite: Suite): Promise<string> {
  const root = join(cacheFolder, suite)
  mkdirSync(cacheFolder, { recursive: true })
  if (!existsSync(root)) await make(suite, root)
  return root
}

/**
 * A command line that runs a program in a root file system, in a mount namespace of its own whose root that is: what
 * joins a container's namespaces from a mere chroot would end up in the root of this machine.
 */
export function enter(root: string, scratch: string, program: string, args: string[]): [string, string[]] {
  const script = `
    mount --bind "$1" "$1" && mount -t proc proc "$1/proc"
    mount --rbind /sys "$1/sys" && mount --rbind /dev "$1/dev"
    mount -t tmpfs tmpfs "$1/run" && mount -t tmpfs tmpfs "$1/tmp"
    mkdir -p "$1$2" && mount --bind "$2" "$1$2"
    cd "$1"; pivot_root . .; umount -l .; shift 2; exec "$@"`
  return [
    'unshare',
    ['--mount', '--propagation', 'private', 'sh', '-ec', script, 'sh', root, scratch, program, ...args],
  ]
}

/** Programs in a root file system find each other here. */
export const pathInside = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Only a finished one gets its name; a second run that wants the same one at the same time waits for the first. */
async function make(suite: Suite, root: string): Promise<void> {
  const lock = join(cacheFolder, `${suite}.lock`)
  const include = [...packages, ...more[suite]].join(',')
  const script = `[ -e "$2" ] || { rm -rf "$2.new"; debootstrap --variant=minbase --include="$3" "$1" "$2.new" >"$2.log" 2>&1 && mv "$2.new" "$2"; }`
  await command('flock', [lock, 'sh', '-c', script, 'sh', suite, root, include])
}
