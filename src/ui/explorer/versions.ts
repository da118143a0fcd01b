/** The versions of one file and what is different between two of them, read in the background, bounded. */
import { Buffer } from 'node:buffer'
import { formatBytes } from '../../base/sizes.ts'
import { Kind } from '../../layer/entry.ts'
import type { Stack } from '../../layer/stack.ts'
import type { Image } from '../../source/types.ts'
import { kindOfFile } from './file/kind.ts'
import { showLine } from './file/text-rows.ts'
import { type DiffLine, diffLines } from './text-diff.ts'

/** Of bigger files only the beginning is laid side by side. */
export const MOST_BYTES = 1 << 20

/** What is different: lines of both texts, or a sentence where that can not be shown. */
export type Difference = { lines: DiffLine[] } | { says: string }

/** The difference between what two references show; -1 stands for nothing. Lines are harmless. */
export async function differenceOf(
  image: Image,
  stack: Stack,
  before: number,
  after: number,
  signal: AbortSignal,
): Promise<Difference> {
  const [old, now] = [fileAt(stack, before), fileAt(stack, after)]
  if (old < 0 && now < 0) return { says: 'There is no content to compare.' }
  const sizes = [old, now].map(inode => (inode < 0 ? 0 : stack.sizeOf(inode)))
  if (Math.max(...sizes) > MOST_BYTES) {
    return { says: `The files are too big to be laid side by side (${sizes.map(formatBytes).join(', ')}).` }
  }
  const [a, b] = await Promise.all([old, now].map(inode => contentOf(image, stack, inode, signal)))
  if (a!.equals(b!) && old >= 0 && now >= 0) return { says: 'The content is the same.' }
  for (const bytes of [a!, b!]) {
    const kind = kindOfFile(bytes, bytes.length)
    if (!kind.text) return { says: `${kind.words}: ${sizes.map(formatBytes).join(' → ')}` }
  }
  const lines = diffLines(linesOf(a!), linesOf(b!))
  return lines ? { lines } : { says: 'The texts have too little in common to be laid side by side.' }
}

/** The regular file that a reference shows, -1 for everything else. */
export function fileAt(stack: Stack, ref: number): number {
  if (ref < 0) return -1
  const inode = stack.inodeOf(ref)
  return inode >= 0 && stack.kindOf(inode) === Kind.file ? inode : -1
}

/** The content of a regular file by its reference, its first `MOST_BYTES` at most; empty for -1. */
export async function contentOf(image: Image, stack: Stack, inode: number, signal: AbortSignal): Promise<Buffer> {
  if (inode < 0) return Buffer.alloc(0)
  const chunks: Uint8Array[] = []
  const options = { end: Math.min(stack.sizeOf(inode), MOST_BYTES), signal }
  for await (const chunk of image.readFile(stack.layerOf(inode), stack.indexOf(inode), options)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** The lines of a text, harmless, long ones cut. */
export function linesOf(bytes: Buffer): string[] {
  const lines: string[] = []
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf(0x0a, at)
    const end = newline < 0 ? bytes.length : newline
    lines.push(showLine(bytes.subarray(at, Math.min(end, at + 4096))))
    at = end + 1
  }
  return lines
}
