/** The tar of what a container's upper directory changes: a layer. The helper writes it, for the files are not ours to read. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { faultOf, findHelper } from './find-helper.ts'
import { type UpperChange, upperChanges } from './upper-changes.ts'

/** Chunks of the tar; null when nothing is changed. `lower`: layer directories, top first. */
export async function packUpper(
  upper: string,
  lower: readonly string[],
  signal?: AbortSignal,
): Promise<AsyncGenerator<Uint8Array> | null> {
  const changes: UpperChange[] = []
  for await (const change of upperChanges(upper, lower, signal)) changes.push(change)
  // The same changes make the same tar, and a directory stands before what is in it.
  changes.sort((a, b) => Buffer.compare(a.path, b.path))
  const wanted = changes.flatMap(({ change, path }) => [Buffer.from(change), path, Buffer.of(0)])
  return wanted.length === 0 ? null : packed(upper, Buffer.concat(wanted), signal)
}

async function* packed(upper: string, wanted: Buffer, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const child = spawn(findHelper(), ['pack', upper], { stdio: ['pipe', 'pipe', 'pipe'], signal })
  yield* outputOf(child, 'pack', wanted)
}

/** What a helper writes, and its fault when it ends with one. It ends when nobody reads any more. */
export async function* outputOf(child: ChildProcess, verb: string, input?: Buffer): AsyncGenerator<Uint8Array> {
  let said = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-8192)
  })
  const ended = once(child, 'close')
  ended.catch(() => {})
  child.stdin?.on('error', () => {})
  child.stdin?.end(input)
  try {
    for await (const chunk of child.stdout!) yield chunk as Uint8Array
    const [code] = (await ended) as [number | null]
    if (code !== 0) throw faultOf(verb, code ?? 128, said)
  } finally {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
    await ended.catch(() => {})
  }
}
