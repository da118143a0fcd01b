/** `strata cat`: the content of a file as of a step. As it is into a pipe; on a terminal harmless, and text only. */
import { Fault } from '../base/errors.ts'
import { safe, safeBytes } from '../base/text.ts'
import { Kind, kindNames } from '../layer/entry.ts'
import { IMPLIED, type Stack } from '../layer/stack.ts'
import type { Io, Output } from './output.ts'
import type { Options } from './program.ts'
import { resolvePath } from './resolve.ts'
import { withAnalysis } from './target.ts'

export async function cat(io: Io, [text, path]: string[], options: Options): Promise<number> {
  return withAnalysis(io, { text, options, contents: true }, async ({ image, stack }, target) => {
    const node = resolvePath(stack, target, path, true)
    const inode = bodyOf(stack, node, stack.view(target.top).current[node])
    const content = image.readFile(stack.layerOf(inode), stack.indexOf(inode), { signal: io.signal })
    if (io.out.terminal) await show(io.out, content, safeBytes(stack.tree.path(node)))
    else for await (const chunk of content) await io.out.writeBytes(chunk)
    return 0
  })
}

/** The entry that holds the content; a Fault for what has none. */
function bodyOf(stack: Stack, node: number, ref: number): number {
  const kind = ref === IMPLIED ? Kind.dir : stack.kindOf(ref)
  const name = safeBytes(stack.tree.path(node)) || '/'
  if (kind === Kind.dir) throw new Fault(`${name} is a directory.`, { hint: 'strata tree lists it.' })
  if (kind !== Kind.file && kind !== Kind.hardlink)
    throw new Fault(`${name} is a ${kindNames[kind]}: it has no content.`)
  const inode = stack.inodeOf(ref)
  if (inode < 0) throw new Fault(`${name} is a hard link to something that no layer has.`)
  return inode
}

/** A line that is longer than this is handed out in pieces. */
const longest = 65_536

async function show(out: Output, content: AsyncIterable<Uint8Array>, name: string): Promise<void> {
  const decoder = new TextDecoder()
  let rest = ''
  let first = true
  for await (const chunk of content) {
    if (first && chunk.subarray(0, 8192).includes(0)) {
      throw new Fault(`${name} is binary.`, { hint: 'Send it into a file or a pipe: > FILE' })
    }
    first = false
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop()!
    for (const line of lines) await out.write(`${harmless(line)}\n`)
    if (rest.length > longest) {
      await out.write(harmless(rest))
      rest = ''
    }
  }
  await out.write(harmless(rest + decoder.decode()))
}

/** Tabs are harmless, and so is the carriage return of a line that ends as on Windows. */
function harmless(line: string): string {
  return line.replace(/\r$/, '').split('\t').map(safe).join('\t')
}
