/**
 * Plain bytes of a compressed region, readable by position: inflated into a temporary file without a name, no further
 * than somebody reads, and only once. Off the calling thread.
 */
import { closeSync } from 'node:fs'
import { Fault } from '../base/errors.ts'
import { cancelled } from './cancel.ts'
import { createInflate } from './inflate.ts'
import { type Region, readChunks } from './region.ts'
import type { Compression } from './sniff.ts'
import { openSpool, spoolWriter } from './spool-writer.ts'

export interface Spool {
  /** The plain bytes. Its size is not known before the end: reads stop where the bytes end. */
  region: Region
  close(): Promise<void>
}

/** What is kept at most; whoever stores more in one layer reads it with other tools. */
const MAX_SPOOL = 64 * 2 ** 30

/** Nothing is read before the first `ready`. `folder`: where the temporary file goes where that can be written. */
export function spoolOf(source: Region, compression: Compression, name: string, folder: string | null): Spool {
  const fd = openSpool(folder)
  const writer = spoolWriter(fd, name)
  const stopped = new AbortController()
  let have = 0
  let ended = false
  let failure: unknown = null
  let work: Promise<void> = Promise.resolve()

  const inflate = createInflate(
    compression,
    chunk => {
      writer.write(chunk)
      have += chunk.length
      if (have > MAX_SPOOL) throw new Fault(`${name} holds more than can be kept for reading.`)
    },
    { name, background: true },
  )
  const chunks = readChunks(source, 0, source.size, stopped.signal)

  /** Inflates until the bytes before `end` are there. */
  async function advance(end: number, signal?: AbortSignal): Promise<void> {
    while (have < end && !ended) {
      if (signal?.aborted || stopped.signal.aborted) throw cancelled()
      if (failure !== null) throw failure
      try {
        const next = await chunks.next()
        if (next.done) {
          await inflate.end()
          ended = true
        } else await inflate.push(next.value)
      } catch (error) {
        failure = error
        throw error
      } finally {
        // Zeros at the end have only been counted so far.
        writer.end(have)
      }
    }
  }

  return {
    region: {
      fd,
      start: 0,
      size: Number.MAX_SAFE_INTEGER,
      ready(end, signal) {
        // One at a time: readers share one decoder.
        const turn = work.then(() => advance(end, signal))
        work = turn.catch(() => {})
        return turn
      },
    },
    async close() {
      stopped.abort()
      await work
      inflate.close()
      await chunks.return(undefined)
      closeSync(fd)
    },
  }
}
