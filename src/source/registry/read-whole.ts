/** An answer that is small, whole. */
import { Fault } from '../../base/errors.ts'
import { formatBytes, formatDuration } from '../../base/sizes.ts'
import { Lost, nameOf } from './faults.ts'
import type { Reply } from './http.ts'
import type { Limits } from './types.ts'

/** @throws Fault when it has more than `most` bytes, or takes too long. */
export async function readWhole(reply: Reply, most: number, what: string, limits: Limits): Promise<Uint8Array> {
  const name = nameOf(reply.url)
  const tooLarge = () => new Fault(`${name} sends more than ${formatBytes(most)} for ${what}: it is not read.`)
  const late = () => new Lost(`${name} takes too long to send ${what}: more than ${formatDuration(limits.document)}.`)
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    reply.close()
  }, limits.document)
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    if (Number(reply.headers['content-length'] ?? 0) > most) throw tooLarge()
    for await (const batch of reply.batches()) {
      if (isLate) throw late()
      for (const chunk of batch) bytes += chunk.length
      if (bytes > most) throw tooLarge()
      chunks.push(...batch)
    }
    return Buffer.concat(chunks)
  } catch (error) {
    throw isLate ? late() : error
  } finally {
    clearTimeout(timer)
    reply.close()
  }
}
