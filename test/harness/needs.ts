/** What a machine must have for the tests that start real engines. They are left out where it has not. */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

const programs = [
  'sshd',
  'ssh',
  'useradd',
  'setpriv',
  'dockerd',
  'docker',
  'podman',
  'runc',
  'newuidmap',
  'docker-registry',
  'skopeo',
  'umoci',
  'busybox',
  'openssl',
]

/** Why real engines can not be started here: a sentence that names what is missing. null: they can. */
export function missingForEngines(): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'they need root on Linux'
  const missing = programs.filter(program => !isThere(program))
  return missing.length === 0 ? null : `they need ${missing.join(', ')} (.ci/run installs them)`
}

/** Whether a program is on the PATH, or where the system keeps those of root. */
export function isThere(program: string): boolean {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
  return folders.some(folder => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
