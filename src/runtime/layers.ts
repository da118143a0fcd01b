/** Layer directories: made of a layer's tar, removed again. Both are the helper's work, for the owners in them are not ours. */
import type { Readable } from 'node:stream'
import * as z from 'zod'
import { Fault } from '../base/errors.ts'
import { helperLines } from './helper.ts'

const shape = z.object({
  entries: z.number(),
  /** Bytes of bodies written. */
  bytes: z.number(),
  whiteouts: z.number(),
  opaque: z.number(),
  /** Entries whose owner this user can not give away: they became nobody's, or root's where there is one id only. */
  foreignIds: z.number(),
  /** Devices that became empty files, attributes and entries of unknown type that were left out. */
  skippedDevices: z.number(),
  skippedXattrs: z.number(),
  skippedOthers: z.number(),
  /** Marks of overlayfs that the image tried to bring itself; they have no effect. */
  forgedMarks: z.number(),
})

export type Unpacked = z.infer<typeof shape>

export interface UnpackOptions {
  /** Directories of the layers below, top first; empty for the bottom layer. */
  lower: readonly string[]
  /** Most bytes and entries that are written. */
  maxBytes?: number
  maxEntries?: number
  signal?: AbortSignal
}

/** Unpacks a layer's tar (not compressed) into the new directory `into`, which is whole afterwards or not there. */
export async function unpackLayer(layer: Readable, into: string, options: UnpackOptions): Promise<Unpacked> {
  const { lower, maxBytes, maxEntries, signal } = options
  const args = ['unpack', ...(lower.length === 0 ? ['--bottom'] : lower.flatMap(below => ['--lower', below]))]
  if (maxBytes !== undefined) args.push('--max-bytes', String(maxBytes))
  if (maxEntries !== undefined) args.push('--max-entries', String(maxEntries))
  for await (const line of helperLines([...args, into], { input: layer, signal })) return shape.parse(line)
  throw new Fault(`Nothing was unpacked into ${into}.`)
}

/** Removes directories with everything in them: layers, upper and work directories of containers that have ended. */
export async function removeTrees(directories: readonly string[], signal?: AbortSignal): Promise<void> {
  for await (const _ of helperLines(['rm', ...directories], { signal }));
}
