/**
 * Runs a program and says what it cost: wall time, CPU time, memory. By way of a few lines of C (measured.c), which are
 * compiled on first use: Node can not ask the kernel what a child used.
 */
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Cost {
  /** Seconds. */
  wall: number
  /** Seconds, user and system together. */
  cpu: number
  /** Largest resident set, bytes. */
  memory: number
}

export interface Run extends Cost {
  /** Exit code; 128 + signal when one ended it. */
  code: number
  stdout: Buffer
  stderr: Buffer
  /** It did not end in time and was killed. */
  timedOut: boolean
}

export interface RunOptions {
  cwd?: string
  env?: NodeJS.ProcessEnv
  /** Seconds until it is killed. */
  timeout?: number
  /** The output is thrown away. */
  quiet?: boolean
  /** Read as standard input. */
  input?: string
  /** Bytes of output that are kept at most. */
  maxOutput?: number
}

export interface Meter {
  run(program: string, args: readonly string[], options?: RunOptions): Promise<Run>
  close(): void
}

/** Compiles the helper into a folder of its own; `close` removes it. */
export function openMeter(): Meter {
  const folder = mkdtempSync(join(tmpdir(), 'strata-meter-'))
  const helper = join(folder, 'measured')
  const source = fileURLToPath(new URL('./measured.c', import.meta.url))
  const compiled = spawnSync('cc', ['-O1', '-o', helper, source], { stdio: ['ignore', 'inherit', 'inherit'] })
  if (compiled.status !== 0) throw new Error('the C compiler is needed to measure programs')
  let runs = 0
  return {
    run: (program, args, options = {}) => measure(helper, join(folder, `${runs++}`), program, args, options),
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}

async function measure(
  helper: string,
  report: string,
  program: string,
  args: readonly string[],
  { cwd, env, timeout, quiet, input, maxOutput = 64 << 20 }: RunOptions,
): Promise<Run> {
  const stdin = input === undefined ? 'ignore' : openSync(input, 'r')
  const output = quiet ? 'ignore' : 'pipe'
  const child = spawn(helper, [report, program, ...args], {
    cwd,
    env: env ?? process.env,
    stdio: [stdin, output, output],
    detached: true,
  })
  if (typeof stdin === 'number') closeSync(stdin)
  const stdout = collect(child.stdout, maxOutput)
  const stderr = collect(child.stderr, maxOutput)
  let timedOut = false
  const timer = setTimeout(
    () => {
      timedOut = true
      if (child.pid) process.kill(-child.pid, 'SIGKILL')
    },
    (timeout ?? 600) * 1000,
  )
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status, signal) => resolve(status ?? (signal ? 137 : 1)))
  })
  clearTimeout(timer)
  const [wall, user, system, memory] = timedOut ? [0, 0, 0, 0] : readFileSync(report, 'utf8').split(' ').map(Number)
  const cost = { wall: wall / 1e6, cpu: (user + system) / 1e6, memory: memory * 1024 }
  return { ...cost, code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr), timedOut }
}

function collect(stream: NodeJS.ReadableStream | null, most: number): Buffer[] {
  const chunks: Buffer[] = []
  let length = 0
  stream?.on('data', (chunk: Buffer) => {
    if (length < most) chunks.push(chunk)
    length += chunk.length
  })
  return chunks
}
