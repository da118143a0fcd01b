/** What can be copied of a path. */
import { Buffer } from 'node:buffer'
import { safeBytes } from '../../base/text.ts'
import { Kind } from '../../layer/entry.ts'
import type { Scene } from './scene.ts'
import type { Look } from './tab.ts'

/** The path first, then what links point to, then the command line that prints the same file. */
export function copiesOfNode(look: Look, scene: Scene, node: number): { text: string; what: string }[] {
  const path = `/${asText(scene.stack.tree.path(node))}`
  const ref = scene.ref(node)
  const entry = ref < 0 ? null : scene.stack.entry(ref)
  const deleted = scene.letter(node) === 'D'
  const layer = deleted && ref >= 0 ? scene.stack.layerOf(ref) : scene.to
  const image = `${quoted(look.image.reference)}@${look.world.stepOf(Math.max(0, layer))}`
  const copies = [{ text: path, what: 'path' }]
  if (entry?.link && entry.kind === Kind.symlink) copies.push({ text: asText(entry.link), what: 'link target' })
  if (entry?.kind === Kind.file || entry?.kind === Kind.hardlink) {
    copies.push({ text: `strata cat ${image} ${quoted(path)}`, what: 'command that prints it' })
  } else copies.push({ text: `strata tree ${image} ${quoted(path)}`, what: 'command that lists it' })
  return copies
}

/** As it is where it is plain text; escaped where pasting it could do harm. */
function asText(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('utf8')
  return /[\p{Cc}\p{Cf}]|\ufffd/u.test(text) ? safeBytes(bytes) : text
}

/** As one word of a shell's command line. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
