/** Files of an upper directory, while its container goes on. The helper reads them: owners and links are the container's. */
import { spawn } from 'node:child_process'
import { faultOf, findHelper } from './helper.ts'

/**
 * The bytes `start`..`end` of a regular file, by its path below `upper` without the leading slash. Throws a Fault when it
 * is not there any more, or is something else now.
 */
export async function* readUpper(
  upper: string,
  path: Uint8Array,
  { start = 0, end, signal }: { start?: number; end?: number; signal?: AbortSignal | undefined } = {},
): AsyncGenerator<Uint8Array> {
  const length = end === undefined ? [] : ['--length', String(Math.max(0, end - start))]
  const args = ['read', '--offset', String(start), ...length, upper]
  const child = spawn(await findHelper(), args, { stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  child.stdin.on('error', () => {})
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-8192)
  })
  const ended = new Promise<number>(resolve => {
    child.once('error', () => resolve(1))
    child.once('close', code => resolve(code ?? 128))
  })
  const stop = () => child.kill('SIGKILL')
  signal?.addEventListener('abort', stop, { once: true })
  child.stdin.end(path)
  try {
    signal?.throwIfAborted()
    for await (const chunk of child.stdout) yield chunk as Uint8Array
    const code = await ended
    signal?.throwIfAborted()
    if (code !== 0) throw faultOf('read', code, said)
  } finally {
    signal?.removeEventListener('abort', stop)
    stop()
    await ended
  }
}
