/** A file of a container as the engine hands it out: where its directories can not be read from here. */
import type { Readable } from 'node:stream'
import { extract } from 'tar-stream'
import { Fault } from '../base/errors.ts'
import { safeBytes } from '../base/text.ts'
import type { ContainerEngine } from './containers.ts'

/**
 * The bytes `start`..`end` of a regular file, by its path without the leading slash. The engine sends it from its
 * beginning; nothing more is taken than is asked for. Throws a Fault.
 */
export async function* readFromEngine(
  { containers }: ContainerEngine,
  id: string,
  path: Uint8Array,
  {
    start = 0,
    end = Number.POSITIVE_INFINITY,
    signal,
  }: { start?: number; end?: number; signal?: AbortSignal | undefined } = {},
): AsyncGenerator<Uint8Array> {
  const name = Buffer.from(path).toString()
  // The API has names as text.
  if (!Buffer.from(name).equals(path))
    throw new Fault(`/${safeBytes(path)} can not be asked for: its name is no UTF-8.`)
  const tar = await containers.copyOut(id, `/${name}`, { signal })
  const entries = extract()
  tar.on('error', error => entries.destroy(error))
  tar.pipe(entries)
  try {
    for await (const entry of entries) {
      if (entry.header.type !== 'file') throw new Fault(`/${safeBytes(path)} is no regular file any more.`)
      let at = 0
      for await (const chunk of entry as unknown as Readable) {
        const bytes = chunk as Uint8Array
        const from = Math.max(0, start - at)
        const to = Math.min(bytes.length, end - at)
        if (to > from) yield bytes.subarray(from, to)
        at += bytes.length
        if (at >= end) return
      }
      return
    }
  } finally {
    tar.destroy()
    entries.destroy()
  }
}
