/** Runs a program to its end and hands back what it said. What every harness stands on. */
import { spawn } from 'node:child_process'

export interface CommandOptions {
  env?: NodeJS.ProcessEnv | undefined
  cwd?: string | undefined
  /** Written to the standard input, which is closed afterwards. */
  input?: string | Uint8Array | AsyncIterable<Uint8Array> | undefined
  /** uid and gid to run as. */
  uid?: number | undefined
  gid?: number | undefined
}

export interface CommandResult {
  code: number
  stdout: Buffer
  stderr: string
}

/** Runs a program; a code other than 0 is in the result. Rejects only when it can not be started. */
export async function tryCommand(
  program: string,
  args: string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { env, cwd, uid, gid } = options
  const child = spawn(program, args, { env: env ?? process.env, cwd, uid, gid, stdio: ['pipe', 'pipe', 'pipe'] })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', chunk => stdout.push(chunk))
  child.stderr.on('data', chunk => stderr.push(chunk))
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve(code ?? (signal ? 128 : 1)))
  })
  child.stdin.on('error', () => {})
  await feed(child.stdin, options.input)
  const code = await ended
  return { code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() }
}

/** Runs a program that has to succeed and gives its standard output as text, without the last line end. */
export async function command(program: string, args: string[], options: CommandOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await tryCommand(program, args, options)
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${stderr.trim() || stdout}`)
  return stdout.toString().replace(/\n$/, '')
}

/** Polls until the condition gives something; rejects with what `failure` says once the time is over. */
export async function until<T>(
  condition: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  { within = 60_000, every = 25, failure = () => 'the condition never came true' }: UntilOptions = {},
): Promise<T> {
  const end = performance.now() + within
  for (;;) {
    const value = await condition()
    if (value) return value
    if (performance.now() > end) throw new Error(failure())
    await new Promise(resolve => setTimeout(resolve, every))
  }
}

export interface UntilOptions {
  within?: number
  every?: number
  failure?: () => string
}

async function feed(stdin: NodeJS.WritableStream, input: CommandOptions['input']): Promise<void> {
  if (input === undefined || typeof input === 'string' || input instanceof Uint8Array) {
    stdin.end(input ?? '')
    return
  }
  for await (const chunk of input) {
    if (!stdin.write(chunk)) await new Promise(resolve => stdin.once('drain', resolve))
  }
  stdin.end()
}
