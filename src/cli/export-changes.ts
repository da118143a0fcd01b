/** What a container has changed, written down: a layer as a tar, lines of a Dockerfile. For `strata diff` and the screens. */
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { asFault, Fault } from '../base/errors.ts'
import type { Work } from '../base/progress.ts'
import { safe } from '../base/text.ts'
import type { ContainerEngine } from '../engine/containers.ts'

/**
 * The layer into a new file. Rejects with a Fault; a file that is there is not written over, and one that could not be
 * written whole does not stay.
 */
export async function writeLayer(
  engine: ContainerEngine,
  id: string,
  path: string,
  { signal = new AbortController().signal, onProgress }: Work,
): Promise<{ bytes: number; asked: boolean }> {
  const { exportLayer } = await import('../engine/export-layer.ts')
  const place = path.replace(/^~(?=\/)/, homedir())
  const { chunks, asked } = await exportLayer(engine, id, signal)
  let bytes = 0
  let opened = false
  const counted = async function* () {
    for await (const chunk of chunks) {
      bytes += chunk.length
      onProgress?.({ done: bytes, total: null })
      yield chunk
    }
  }
  try {
    const file = createWriteStream(place, { flags: 'wx' })
    file.once('open', () => {
      opened = true
    })
    await pipeline(Readable.from(counted()), file, { signal })
    return { bytes, asked }
  } catch (error) {
    if (opened) await rm(place, { force: true })
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new Fault(`${safe(place)} is there already, and is not written over.`, { hint: 'Choose another name.' })
    signal.throwIfAborted()
    throw asFault(error, `${safe(place)} can not be written`)
  }
}

/** Lines of a Dockerfile that do about the same to the container's image. Rejects with a Fault. */
export async function dockerfileLines(engine: ContainerEngine, id: string, signal: AbortSignal): Promise<string[]> {
  const { describeChanges } = await import('../engine/export-layer.ts')
  const { asDockerfile } = await import('../live/as-dockerfile.ts')
  const { changes, ...options } = await describeChanges(engine, id, signal)
  return asDockerfile(changes, options)
}
