/** A real sshd on the loopback address, and an `ssh` that knows its key: the tests' own configuration, nobody else's. */
import { spawn } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { command, until } from './command.ts'
import { openScratch } from './engine-scratch.ts'
import { freePort } from './engines.ts'

export interface TestSshd {
  port: number
  /** A folder to put first on the PATH: its `ssh` is the machine's with the test's configuration. */
  bin: string
  stop(): Promise<void>
}

/** Starts one into which root may log in with a key that the `ssh` in `bin` has. */
export async function startSshd(): Promise<TestSshd> {
  const scratch = await openScratch()
  const at = (name: string) => join(scratch.path, name)
  const port = await freePort()
  for (const key of ['host-key', 'user-key'])
    await command('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at(key)])
  await command('cp', [at('user-key.pub'), at('authorized_keys')])
  const server = ['ListenAddress 127.0.0.1', `Port ${port}`, `HostKey ${at('host-key')}`, `PidFile ${at('sshd.pid')}`]
  server.push(`AuthorizedKeysFile ${at('authorized_keys')}`, 'StrictModes no', 'UsePAM no', 'PermitRootLogin yes')
  writeFileSync(at('sshd_config'), `${server.join('\n')}\n`)
  const client = [
    'Host *',
    `IdentityFile ${at('user-key')}`,
    `UserKnownHostsFile ${at('known_hosts')}`,
    'IdentitiesOnly yes',
  ]
  writeFileSync(at('ssh_config'), `${client.join('\n')}\n`)
  const hostKey = (await command('cat', [at('host-key.pub')])).split(' ')
  writeFileSync(at('known_hosts'), `[127.0.0.1]:${port} ${hostKey[0]} ${hostKey[1]}\n`)
  const bin = scratch.folder('bin')
  writeFileSync(join(bin, 'ssh'), `#!/bin/sh\nexec /usr/bin/ssh -F ${at('ssh_config')} "$@"\n`)
  chmodSync(join(bin, 'ssh'), 0o755)
  await command('mkdir', ['-p', '/run/sshd'])
  const child = spawn('/usr/sbin/sshd', ['-D', '-f', at('sshd_config'), '-E', at('log')], {
    stdio: 'ignore',
    detached: true,
  })
  child.unref()
  writeFileSync(at('started.pid'), String(child.pid))
  scratch.owns('pid-file', at('started.pid'))
  await until(() => listening(port), { within: 20_000, failure: () => 'sshd does not answer' })
  return { port, bin, stop: scratch.close }
}

function listening(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}
