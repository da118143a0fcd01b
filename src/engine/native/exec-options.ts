/** An exec's wishes, as the helper takes them. */
import type { ExecSpec } from '../containers.ts'

/** `privileged`: every capability of the container's user namespace, and no system call filter. */
export function execOptions({ env = [], user, workingDir, stdin, tty, privileged }: ExecSpec): string[] {
  return [
    ...(tty ? ['--tty'] : []),
    ...(privileged ? ['--privileged'] : []),
    ...(stdin ? [] : ['--no-stdin']),
    ...(user === undefined ? [] : ['--user', user]),
    ...(workingDir === undefined ? [] : ['--cwd', workingDir]),
    ...env.filter(entry => entry.includes('=')).flatMap(entry => ['--env', entry]),
  ]
}
