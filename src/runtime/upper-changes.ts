/** What a container's upper directory changes, by LAYERS.md "The upper layer of a container". */
import { Buffer } from 'node:buffer'
import * as z from 'zod'
import { helperLines } from './helper.ts'

const shape = z.object({
  change: z.enum(['A', 'C', 'D']),
  path: z.string(),
  pathBase64: z.string().optional(),
  type: z.string(),
  size: z.number(),
})

export interface UpperChange {
  change: 'A' | 'C' | 'D'
  /** With a leading slash; bytes, for a name need not be text. */
  path: Uint8Array
  /** Of a deleted path: what it was. */
  type: 'file' | 'dir' | 'symlink' | 'char' | 'block' | 'fifo' | 'socket'
  size: number
}

/** One change after the other, a directory before what is in it. `lower`: layer directories, top first. */
export async function* upperChanges(
  upper: string,
  lower: readonly string[],
  signal?: AbortSignal,
): AsyncGenerator<UpperChange> {
  for await (const line of helperLines(['diff', ...lower.flatMap(below => ['--lower', below]), upper], { signal })) {
    const { change, path, pathBase64, type, size } = shape.parse(line)
    const bytes = pathBase64 === undefined ? Buffer.from(path) : Buffer.from(pathBase64, 'base64')
    yield { change, path: bytes, type: type as UpperChange['type'], size }
  }
}
