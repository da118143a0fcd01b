/** Runs a builder: on this terminal as if we were not there, or listened to. */
import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import process from 'node:process'
import { StringDecoder } from 'node:string_decoder'
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import type { Builder } from './builders.ts'

export interface RunOptions {
  /** Its output is ours to show on stderr, and to keep the end of; else it has the terminal itself. */
  listen: boolean
  /** stdout is for what comes after: what the builder says there goes to stderr. */
  keepStdout: boolean
  /** Shows nothing, when it is listened to. */
  quiet?: boolean
}

/**
 * Gives the builder's exit code (128+n where a signal ended it) and, when it was listened to, the end of what it said.
 * A ctrl-c reaches the builder by itself: it is of our process group.
 */
export async function runBuilder(
  builder: Builder,
  args: string[],
  options: RunOptions,
): Promise<{ code: number; said: string }> {
  const [program, ...first] = builder.command
  const child = spawn(program, [...first, ...args], {
    // Plain progress is the one that can be read by others than terminals.
    env: options.listen ? { ...builder.env, BUILDKIT_PROGRESS: 'plain' } : builder.env,
    stdio: options.listen
      ? ['inherit', 'pipe', 'pipe']
      : ['inherit', options.keepStdout ? process.stderr : 'inherit', 'inherit'],
  })
  const listened = [child.stdout, child.stderr].map(stream => listen(stream, options.quiet !== true))
  const code = await endOf(child, builder)
  return { code, said: listened.map(one => one()).join('\n') }
}

/** Characters kept of each stream. */
const mostKept = 1 << 20

/** Shows a stream line by line, harmless, and gives the end of what it said. */
function listen(stream: ChildProcess['stdout'], show: boolean): () => string {
  const decoder = new StringDecoder('utf8')
  let kept = ''
  let open = ''
  const told = (text: string) => {
    kept = (kept + text).slice(-mostKept)
    const lines = (open + text).split('\n')
    open = lines.pop()!
    if (open.length > mostKept) {
      lines.push(open)
      open = ''
    }
    if (show && lines.length > 0) process.stderr.write(`${lines.map(shown).join('\n')}\n`)
  }
  stream?.on('data', (bytes: Buffer) => told(decoder.write(bytes)))
  stream?.on('end', () => told(`${decoder.end()}${open === '' ? '' : '\n'}`))
  return () => kept
}

/** What stands on a line once all that is written over is gone. */
function shown(line: string): string {
  return safe(line.replace(/\r+$/, '').replace(/^.*\r/, '').replaceAll('\t', '    '))
}

function endOf(child: ChildProcess, builder: Builder): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on('error', error => reject(new Fault(`${builder.name} can not be run: ${error.message}.`, { cause: error })))
    child.on('close', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)))
  })
}
