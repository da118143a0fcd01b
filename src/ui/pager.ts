/** Text in the person's own pager. */
import { spawn } from 'node:child_process'
import { Fault } from '../base/errors.ts'

/**
 * Runs `$PAGER` (a shell command; `less -R` without it) with the lines on its stdin, and resolves when it is left. Call
 * it while the terminal is handed over. Throws a Fault when it can not be started.
 */
export async function runPager(lines: readonly string[], environment: NodeJS.ProcessEnv): Promise<void> {
  const command = environment.PAGER || 'less -R'
  const child = spawn('/bin/sh', ['-c', command], { stdio: ['pipe', 'inherit', 'inherit'], env: environment })
  child.stdin.on('error', () => {})
  child.stdin.end(`${lines.join('\n')}\n`)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  if (code === 126 || code === 127) {
    throw new Fault(`The pager "${command}" could not be started.`, {
      hint: 'Set PAGER to a program that is installed.',
    })
  }
}
