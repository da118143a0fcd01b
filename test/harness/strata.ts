/** Runs the program as a person does, in a process of its own, with a cache and a home of its own. */
import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import { afterAll } from 'vitest'
import { node } from './bundle.ts'
import { type CommandResult, tryCommand } from './command.ts'
import { scratch } from './scratch.ts'

export interface Run {
  code: number
  stdout: string
  stderr: string
}

export interface StrataOptions {
  cwd?: string
  env?: NodeJS.ProcessEnv
  input?: Uint8Array
}

/** A folder with its own `strata`: `put` writes an archive into it, `run` runs the command line there. */
export function workshop() {
  const folder = scratch()
  const env = surroundings(folder.path)
  return {
    ...folder,
    async run(args: string[], options: StrataOptions = {}): Promise<Run> {
      const { code, stdout, stderr } = await start(args, env, { cwd: folder.path, ...options })
      return { code, stdout: stdout.toString(), stderr }
    },
    /** The bytes of stdout, for content. */
    async bytes(args: string[], options: StrataOptions = {}): Promise<Buffer> {
      return (await start(args, env, { cwd: folder.path, ...options })).stdout
    },
    /** Runs it, reads one line, and closes the pipe, as `head -1` does. */
    head: (args: string[]) => head(args, env, folder.path),
    /** Feeds it through stdin, interrupts it with ctrl-c's signal once it has taken all of that, and waits for its end. */
    interrupt: (args: string[], input: Uint8Array) => interrupt(args, env, folder.path, input),
  }
}

/** No engine, no colours, no cache of the person's. */
function surroundings(home: string): NodeJS.ProcessEnv {
  const { PATH } = process.env
  // As the launcher does it: code is compiled once.
  const NODE_COMPILE_CACHE = join(dirname(program()), 'compiled')
  return {
    PATH,
    NODE_COMPILE_CACHE,
    HOME: home,
    XDG_CACHE_HOME: join(home, '.cache'),
    XDG_RUNTIME_DIR: home,
    STRATA_ROOT: join(home, 'strata'),
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
  }
}

function start(args: string[], env: NodeJS.ProcessEnv, options: StrataOptions): Promise<CommandResult> {
  return tryCommand(node, [program(), ...args], { ...options, env: { ...env, ...options.env } })
}

async function head(args: string[], env: NodeJS.ProcessEnv, cwd: string): Promise<Run> {
  const child = spawn(node, [program(), ...args], { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  const errors: Buffer[] = []
  child.stderr.on('data', chunk => errors.push(chunk))
  let stdout = ''
  child.stdout.once('data', chunk => {
    stdout = String(chunk).split('\n')[0]
    child.stdout.destroy()
  })
  const code = await new Promise<number>(resolve =>
    child.on('close', (code, signal) => resolve(code ?? (signal ? 128 : 1))),
  )
  return { code, stdout, stderr: Buffer.concat(errors).toString() }
}

/** More than a pipe holds: when it is taken, the program is reading. */
async function interrupt(args: string[], env: NodeJS.ProcessEnv, cwd: string, input: Uint8Array): Promise<Run> {
  const child = spawn(node, [program(), ...args], { env, cwd, stdio: ['pipe', 'pipe', 'pipe'] })
  const said: Record<'stdout' | 'stderr', string> = { stdout: '', stderr: '' }
  child.stdout.on('data', chunk => (said.stdout += chunk))
  child.stderr.on('data', chunk => (said.stderr += chunk))
  child.stdin.on('error', () => {})
  child.stdin.write(input, () => child.kill('SIGINT'))
  const code = await new Promise<number>(resolve => child.on('close', code => resolve(code ?? -1)))
  return { code, ...said }
}

let built: string | null = null

// A test file's process is ended, it does not exit: what it made goes when its tests are over.
afterAll(() => {
  if (built) rmSync(dirname(built), { recursive: true, force: true })
  built = null
})

/** The program as its build bundles it, without the screens, made once for a test file: never a stale one. */
export function program(): string {
  if (built) return built
  const outdir = mkdtempSync(join(tmpdir(), 'strata-program-'))
  // For the ordinary users that a test makes, too.
  chmodSync(outdir, 0o755)
  const stub = join(outdir, 'stub.mjs')
  writeFileSync(stub, 'export default {}\n')
  writeFileSync(join(outdir, 'package.json'), '{"type":"module"}')
  const source = (path: string) => fileURLToPath(new URL(`../../src/${path}`, import.meta.url))
  buildSync({
    entryPoints: { main: source('main.ts'), worker: source('source/worker.ts') },
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22.15',
    logLevel: 'error',
    external: ['../ui/start.tsx', '../ui/explorer/explorer.ts'],
    alias: Object.fromEntries(['ssh2', '@grpc/grpc-js', '@grpc/proto-loader', 'protobufjs'].map(name => [name, stub])),
    banner: {
      js: "import { createRequire as strataRequire } from 'node:module'; const require = strataRequire(import.meta.url);",
    },
  })
  built = join(outdir, 'main.js')
  return built
}
