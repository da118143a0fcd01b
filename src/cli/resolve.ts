/** From a path that a person wrote to a node of the stack, symbolic links followed as a process inside would. */
import { Buffer } from 'node:buffer'
import { Fault } from '../base/errors.ts'
import { components, pathBytes } from '../base/paths.ts'
import { safeBytes } from '../base/text.ts'
import { blame } from '../layer/blame.ts'
import { Kind } from '../layer/entry.ts'
import { ABSENT, IMPLIED, type Stack, type View } from '../layer/stack.ts'
import type { Target } from './target.ts'

/** As many links as Linux follows before it says ELOOP. */
const maxLinks = 40

/**
 * The node of a path as of the target's step. What is written as a name is shown means that name; else it is taken
 * to the letter, and last its escapes are read. So each of two names that look alike can be reached. `last` says whether
 * a link at the end is followed too. Throws a Fault when nothing is there.
 */
export function resolvePath(stack: Stack, target: Target, path: string, last: boolean): number {
  const view = stack.view(target.top)
  const readings = [pathBytes(path)]
  if (path.includes('\\')) readings.push(unescaped(path))
  if (readings.length > 1 && safeBytes(readings[1]) === path) readings.reverse()
  let found = nothing
  for (const one of readings) if (found === nothing) found = follow(stack, view, one, last)
  if (found >= 0) return found
  throw notThere(stack, target, path, found === loop)
}

const nothing = -1
const loop = -2

function follow(stack: Stack, view: View, path: Uint8Array, last: boolean): number {
  const todo = [...parts(path)].reverse()
  let node = 0
  let links = 0
  while (todo.length > 0) {
    const name = todo.pop()!
    if (name.length === 2 && name[0] === 0x2e && name[1] === 0x2e) {
      node = stack.tree.parent[node]
      continue
    }
    const child = stack.tree.child(node, name)
    const ref = child < 0 ? ABSENT : view.current[child]
    if (ref === ABSENT) return nothing
    const followed = ref !== IMPLIED && stack.kindOf(ref) === Kind.symlink && (last || todo.length > 0)
    if (!followed) {
      node = child
      continue
    }
    if (++links > maxLinks) return loop
    const link = stack.entry(ref).link ?? new Uint8Array(0)
    if (link[0] === 0x2f) node = 0
    for (const part of [...parts(link)].reverse()) todo.push(part)
  }
  return node
}

function* parts(path: Uint8Array): Generator<Uint8Array> {
  for (const { start, end } of components(path)) yield path.subarray(start, end)
}

/** What `safeBytes` wrote, back as bytes. */
function unescaped(text: string): Uint8Array {
  const pieces = text.split(/(\\x[0-9a-f]{2}|\\u\{[0-9a-f]{1,6}\}|\\\\)/)
  return Buffer.concat(
    pieces.map(piece => {
      if (/^\\x/.test(piece) && piece.length === 4) return Buffer.from([Number.parseInt(piece.slice(2), 16)])
      if (/^\\u\{/.test(piece)) return Buffer.from(characterOf(Number.parseInt(piece.slice(3), 16)))
      return Buffer.from(piece === '\\\\' ? '\\' : piece)
    }),
  )
}

function characterOf(point: number): string {
  return point <= 0x10ffff ? String.fromCodePoint(point) : ''
}

function notThere(stack: Stack, { image, top, step }: Target, path: string, looping: boolean): Fault {
  const shown = safeBytes(pathBytes(path))
  const asOf = step ? ` as of step ${step.index}` : ''
  if (looping) return new Fault(`${shown}: more than ${maxLinks} symbolic links lead on from there.`)
  const node = stack.tree.find(pathBytes(path))
  const gone = node < 0 ? undefined : blame(stack, node).find(row => row.letter === 'D' && row.layer <= top)
  if (!gone) return new Fault(`There is no ${shown} in the image${asOf}.`)
  const by = image.steps.find(one => one.layer === gone.layer)
  return new Fault(`There is no ${shown} in the image${asOf}: step ${by?.index} deletes it.`, {
    hint: `The image as of step ${(by?.index ?? 2) - 1} still has it: write @${(by?.index ?? 2) - 1} after the reference.`,
  })
}
