/**
 * A connection to an engine through the user's own ssh, as Docker's command line does it: `ssh HOST docker system
 * dial-stdio` copies its standard input and output to the engine's socket over there. So ssh_config, agents, jump hosts
 * and known hosts all work. One child a connection; it ends with the connection.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { Duplex, type Readable, type Writable } from 'node:stream'
import { Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import { type Address, formatAddress } from './address.ts'

export type SshAddress = Extract<Address, { kind: 'ssh' }>

export interface SshOptions {
  /** Seconds until ssh gives up to connect. */
  timeout: number
  /** Whether ssh may ask on the terminal; never while a screen is drawn there. */
  mayAsk: boolean
  env: Readonly<Record<string, string | undefined>>
}

/** What ssh is started with. The host stands behind `--`, so that no name is ever taken for an option. */
export function sshArguments(address: SshAddress, { timeout, mayAsk }: Omit<SshOptions, 'env'>): string[] {
  const args = ['-T', '-o', `ConnectTimeout=${timeout}`]
  if (!mayAsk) args.push('-o', 'BatchMode=yes')
  if (address.user !== null) args.push('-l', address.user)
  if (address.port !== null) args.push('-p', String(address.port))
  return [...args, '--', address.host, ...remoteCommand(address)]
}

/**
 * Opens the connection. A failure of ssh comes as the stream's error, a Fault with ssh's own words as the hint.
 * Destroying the stream ends the child.
 */
export function connectSsh(address: SshAddress, options: SshOptions): Duplex {
  const child = spawn('ssh', sshArguments(address, options), { stdio: ['pipe', 'pipe', 'pipe'], env: options.env })
  return new SshConnection(child, formatAddress(address))
}

function remoteCommand({ client, socket }: SshAddress): string[] {
  if (socket === null) return [client, 'system', 'dial-stdio']
  const option = client === 'docker' ? '--host' : '--url'
  return [client, option, quoted(`unix://${socket}`), 'system', 'dial-stdio']
}

/** For the shell over there. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>

/** The child's two pipes as one stream, with the few methods of a socket that Node's HTTP agent calls. */
class SshConnection extends Duplex {
  readonly child: Child
  readonly where: string
  private words = ''
  private heard = false

  constructor(child: Child, where: string) {
    super({ allowHalfOpen: true })
    this.child = child
    this.where = where
    child.stdout.on('data', chunk => {
      this.heard = true
      if (!this.push(chunk)) child.stdout.pause()
    })
    child.stderr.setEncoding('utf8').on('data', text => (this.words = (this.words + text).slice(-4096)))
    child.stdin.on('error', () => {})
    child.on('error', error => this.destroy(notStarted(where, error)))
    child.on('close', code => this.finish(code))
  }

  override _read(): void {
    this.child.stdout.resume()
  }

  override _write(chunk: Uint8Array, _: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.child.stdin.write(chunk)) done()
    else this.child.stdin.once('drain', () => done())
  }

  override _final(done: (error?: Error | null) => void): void {
    this.child.stdin.end(() => done())
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.child.kill()
    done(error)
  }

  setKeepAlive(): this {
    return this
  }

  setNoDelay(): this {
    return this
  }

  setTimeout(): this {
    return this
  }

  /** An idle connection does not keep the program from ending. */
  unref(): this {
    for (const one of [this.child, this.child.stdout, this.child.stderr, this.child.stdin]) holding(one)?.unref?.()
    return this
  }

  ref(): this {
    for (const one of [this.child, this.child.stdout, this.child.stderr, this.child.stdin]) holding(one)?.ref?.()
    return this
  }

  private finish(code: number | null): void {
    if (this.heard || code === 0) this.push(null)
    else this.destroy(failed(this.where, code, this.words))
  }
}

function holding(thing: unknown): { ref?(): void; unref?(): void } | null {
  return thing as { ref?(): void; unref?(): void } | null
}

function notStarted(where: string, cause: Error): Fault {
  return new Fault(`${where}: ssh can not be started.`, { cause, hint: 'Install the OpenSSH client.' })
}

/** ssh itself ends with 255; anything else is the command over there. */
function failed(where: string, code: number | null, words: string): Fault {
  const said = safe(words.trim().split('\n').at(-1)?.trim() ?? '')
  const cause = new Error(words.trim() || `ssh ended with ${code}`)
  if (code === 255) {
    const asks = /verification failed|permission denied/i.test(words)
    const hint = asks ? `${said} Connect once with ssh in a terminal, or load the key into ssh-agent.` : said
    return new Fault(`${where}: ssh could not connect.`, { cause, hint: hint || 'ssh did not say why.' })
  }
  if (code === 127)
    return new Fault(`${where}: there is no command there that reaches its engine.`, { cause, hint: said })
  return new Fault(`${where}: the engine could not be reached over there.`, { cause, ...(said && { hint: said }) })
}
