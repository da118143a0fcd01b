/**
 * Which nodes of a scene a filter finds, in slices. Substrings are looked for in all names at once, in the one block of
 * bytes that holds them; what the filter cannot be sure of there is asked node by node.
 */
import { Buffer } from 'node:buffer'
import type { PathTree } from '../../layer/path-tree.ts'
import type { Filter, Term } from './filter-language.ts'
import { describesType } from './filter-types.ts'
import type { Owners } from './owners.ts'
import type { Scene } from './scene.ts'
import type { Sliced } from './slices.ts'
import { ABOVE, MATCH, type Marks } from './tree-rows.ts'

/** What a filter asks besides the scene. */
export interface FilterWorld {
  owners: Owners
  /** The layer that a step made, null when it made none. */
  layerOfStep(step: number): number | null
}

export interface Found {
  marks: Marks
  matches: number
}

/** Marks what matches and what leads to it. Linear in the nodes. */
export function* matchScene(scene: Scene, filter: Filter, world: FilterWorld): Sliced<Found> {
  const nodes = scene.stack.tree.nodes
  const tests = yield* testsOf(scene, filter, world)
  const marks = new Uint8Array(nodes)
  const { parent } = scene.stack.tree
  let matches = 0
  for (let node = nodes - 1; node > 0; node--) {
    if ((node & 1023) === 0) yield
    if (scene.shown(node) && tests.every(test => test(node))) {
      marks[node]! |= MATCH
      matches++
    }
    if (marks[node] !== 0) marks[parent[node]!]! |= ABOVE
  }
  return { marks, matches }
}

type Test = (node: number) => boolean

/** The terms as tests, cheap ones first. */
export function* testsOf(scene: Scene, filter: Filter, world: FilterWorld): Sliced<Test[]> {
  const tests: { test: Test; cost: number }[] = []
  const directories = filter.terms.some(({ term, not }) => term.kind === 'type' && term.type === 'dir' && !not)
  for (const { term, not } of filter.terms) {
    const test = yield* testOf(scene, term, world, directories)
    tests.push({
      test: not ? node => !test(node) : test,
      cost: term.kind === 'pattern' ? 2 : term.kind === 'text' ? 0 : 1,
    })
  }
  return tests.sort((a, b) => a.cost - b.cost).map(({ test }) => test)
}

/** `directories`: sizes are asked of directories too, because nothing else can match. */
function* testOf(scene: Scene, term: Term, world: FilterWorld, directories: boolean): Sliced<Test> {
  const { stack } = scene
  switch (term.kind) {
    case 'text':
      return term.inPath ? pathHolds(scene, term.text, term.exact) : yield* nameHolds(scene, term.text, term.exact)
    case 'pattern':
      return patternTest(scene, term)
    case 'size':
      return node => {
        if (!directories && scene.isDir(node)) return false
        const bytes = scene.bytes(node)
        return bytes >= term.low && bytes <= term.high
      }
    case 'type':
      return node => describesType(stack, scene.ref(node), term.type)
    case 'change':
      return node => term.letters.includes(scene.letter(node) ?? ' ')
    case 'owner':
      return node => ownerIs(scene, node, term.user, term.group, world.owners)
    case 'step': {
      const layer = world.layerOfStep(term.step)
      return node => {
        const ref = scene.ref(node)
        return ref >= 0 && stack.layerOf(ref) === layer
      }
    }
  }
}

/** Longer names and paths are tested up to here: a name is foreign, and a pattern may be slow on a long one. */
const LONGEST = 4096

function patternTest({ stack }: Scene, { pattern, over, bytes }: Extract<Term, { kind: 'pattern' }>): Test {
  const encoding = bytes ? 'latin1' : 'utf8'
  const text = over === 'name' ? nameText(stack.tree, encoding) : pathText(stack.tree, encoding)
  return node => pattern.test(text(node))
}

type Encoding = 'latin1' | 'utf8'

function nameText({ names, nameStart }: PathTree, encoding: Encoding): (node: number) => string {
  const all = Buffer.from(names.buffer, names.byteOffset, names.byteLength)
  return node => {
    const start = nameStart[node]!
    return all.toString(encoding, start, Math.min(nameStart[node + 1]!, start + LONGEST))
  }
}

/** The path with a slash before it. Those of directories are kept: siblings share them. */
function pathText(tree: PathTree, encoding: Encoding): (node: number) => string {
  const name = nameText(tree, encoding)
  const directories = new Map<number, string>([[0, '/']])
  const directory = (node: number): string => {
    const missing: number[] = []
    let at = node
    for (; !directories.has(at); at = tree.parent[at]!) missing.push(at)
    let text = directories.get(at)!
    for (const below of missing.reverse()) {
      text = `${text}${name(below)}/`.slice(0, LONGEST)
      directories.set(below, text)
    }
    return text
  }
  return node => directory(tree.parent[node]!) + name(node)
}

/** Finds the text in the block of all names; a hit that runs over the end of a name is none. */
function* nameHolds(scene: Scene, text: string, exact: boolean): Sliced<Test> {
  const { tree } = scene.stack
  const count = tree.nodes
  const end = tree.nameStart[count]!
  const { nameStart } = tree
  const needle = lowered(Buffer.from(text, 'utf8'), exact)
  const hits = new Uint8Array(count)
  let names = Buffer.from(tree.names.buffer, tree.names.byteOffset, end)
  if (!exact) {
    const lower = Buffer.allocUnsafe(end)
    for (let at = 0; at < end; at++) {
      const byte = names[at]!
      lower[at] = byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte
      if ((at & 0xffff) === 0xffff) yield
    }
    names = lower
  }
  let node = 0
  for (let at = names.indexOf(needle); at >= 0; ) {
    node = nodeAt(nameStart, at, node, count)
    const fits = at + needle.length <= nameStart[node + 1]!
    if (fits) hits[node] = 1
    const next = fits ? nameStart[node + 1]! : at + 1
    if ((node & 255) === 0) yield
    at = next >= end ? -1 : names.indexOf(needle, next)
  }
  return one => hits[one] === 1
}

/** The node whose name holds the byte at `at`: names follow each other in order of nodes. */
function nodeAt(nameStart: Uint32Array, at: number, low: number, count: number): number {
  let high = count - 1
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if (nameStart[middle]! <= at) low = middle
    else high = middle - 1
  }
  return low
}

function pathHolds({ stack }: Scene, text: string, exact: boolean): Test {
  const path = pathText(stack.tree, 'latin1')
  const bytes = Buffer.from(text, 'utf8')
  const needle = lowered(bytes, exact).toString('latin1')
  return exact ? node => path(node).includes(needle) : node => lowerAscii(path(node)).includes(needle)
}

function lowerAscii(text: string): string {
  return /[A-Z]/.test(text) ? text.replace(/[A-Z]+/g, letters => letters.toLowerCase()) : text
}

/** ASCII letters in small; bytes of other letters stay as they are. */
function lowered(bytes: Buffer, exact: boolean): Buffer {
  if (exact) return bytes
  for (let at = 0; at < bytes.length; at++) if (bytes[at]! >= 0x41 && bytes[at]! <= 0x5a) bytes[at]! += 32
  return bytes
}

function ownerIs(scene: Scene, node: number, user: string, group: string | null, owners: Owners): boolean {
  const ref = scene.ref(node)
  const { uid, gid } = ownerOf(scene, ref)
  const isUser = user === '' || String(uid) === user || owners.users.get(uid) === user
  return isUser && (group === null || String(gid) === group || owners.groups.get(gid) === group)
}

function ownerOf(scene: Scene, ref: number): { uid: number; gid: number } {
  if (ref < 0) return { uid: 0, gid: 0 }
  const { stack } = scene
  const index = stack.layers[stack.layerOf(ref)]!
  const owner = index.owner[stack.indexOf(ref)]! * 2
  return { uid: index.owners[owner]!, gid: index.owners[owner + 1]! }
}
