/** An exec's wishes, as the helper takes them. */
import { Fault } from '../../base/errors.ts'
import type { ExecSpec } from '../containers.ts'

/** Throws a Fault for what the native engine does not grant. */
export function execOptions({ env = [], user, workingDir, stdin, tty, privileged }: ExecSpec): string[] {
  if (privileged)
    throw new Fault('The native engine gives no command more rights than its container has.', { exitCode: 125 })
  return [
    ...(tty ? ['--tty'] : []),
    ...(stdin ? [] : ['--no-stdin']),
    ...(user === undefined ? [] : ['--user', user]),
    ...(workingDir === undefined ? [] : ['--cwd', workingDir]),
    ...env.filter(entry => entry.includes('=')).flatMap(entry => ['--env', entry]),
  ]
}
