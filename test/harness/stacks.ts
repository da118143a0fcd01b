/**
 * Layer tars through the real code, and what comes out as text. A test of a rule reads: these tars, this tree, this
 * ledger. Every stack that is made here is checked: its ledger has to add up.
 */
import { Buffer } from 'node:buffer'
import { expect } from 'vitest'
import { changes } from '../../src/layer/changes.ts'
import { type Entry, Kind } from '../../src/layer/entry.ts'
import { IndexBuilder } from '../../src/layer/index-builder.ts'
import type { LayerIndex } from '../../src/layer/layer-index.ts'
import { Stack } from '../../src/layer/stack.ts'
import { TarScanner } from '../../src/layer/tar-scanner.ts'

/** The index of a layer tar, every body hashed. `step` bytes are handed to the scanner at a time. */
export function indexOf(tar: Uint8Array, layer = 0, step = tar.length): LayerIndex {
  const builder = new IndexBuilder({ hash: true, layer })
  const scanner = new TarScanner(builder, { name: `layer ${layer}` })
  for (let at = 0; at < tar.length; at += step) scanner.push(tar, at, Math.min(at + step, tar.length))
  scanner.end()
  return builder.finish({ tarBytes: tar.length, diffId: null })
}

/** Layer tars, bottom first, as a stack whose ledger adds up. */
export function stackOf(...tars: Uint8Array[]): Stack {
  const stack = new Stack()
  tars.forEach((tar, layer) => {
    stack.push(indexOf(tar, layer))
  })
  expectLedgerAddsUp(stack)
  return stack
}

/** stored − visible = the sum of the rows, where visible is counted here once more: each inode that still has a name. */
export function expectLedgerAddsUp(stack: Stack): void {
  const inodes = new Set<number>()
  for (const ref of stack.view(stack.layers.length - 1).current) {
    if (ref < 0) continue
    const inode = stack.inodeOf(ref)
    if (inode >= 0) inodes.add(inode)
  }
  const visible = [...inodes].reduce((sum, inode) => sum + stack.sizeOf(inode), 0)
  const stored = stack.layers.reduce((sum, layer) => sum + layer.stored, 0)
  const wasted = stack.waste.reduce((sum, row) => sum + row.bytes, 0)
  expect({ stored: stack.stored, visible: stack.visible, wasted }).toEqual({
    stored,
    visible,
    wasted: stored - visible,
  })
}

/**
 * The stack up to layer `upTo` as a listing in order of path bytes: `d/`, `d/a 10`, `l -> target`, `b 10 = a` for a hard
 * link, `dev/null c1,3`. Mode and owner are shown where they are not the usual ones. Odd bytes come as %XX.
 */
export function treeText(stack: Stack, upTo = stack.layers.length - 1): string {
  const { current } = stack.view(upTo)
  const lines: [Buffer, string][] = []
  for (let node = 1; node < stack.tree.nodes; node++) {
    const ref = current[node]
    if (ref === -1) continue
    const path = Buffer.from(stack.tree.path(node))
    lines.push([path, ref === -2 ? `${show(path)}/ (implied)` : entryText(stack, ref, path)])
  }
  lines.sort(([a], [b]) => Buffer.compare(a, b))
  return lines.map(([, line]) => line).join('\n')
}

/** The waste ledger, one row a line in order of layer and path: `1000 a, stored 1, lost 2, overwritten`. */
export function ledgerText(stack: Stack): string {
  const rows = stack.waste.map(row => {
    const path = show(stack.tree.path(row.node))
    return { ...row, text: `${row.bytes} ${path}, stored ${row.storedIn}, lost ${row.lostIn}, ${row.cause}`, path }
  })
  rows.sort((a, b) => a.storedIn - b.storedIn || a.lostIn - b.lostIn || (a.path < b.path ? -1 : 1))
  return rows.map(row => row.text).join('\n')
}

/** What a layer, or the layers `from` to `to`, did: `A d/a`, `C f mode owner`, `D x`, in order of path. */
export function changesText(stack: Stack, from = stack.layers.length - 1, to = from): string {
  const set = changes(stack, from, to)
  const lines: [Buffer, string][] = []
  for (const node of set.nodes) {
    const path = Buffer.from(stack.tree.path(node))
    lines.push([path, [set.letter(node), show(path), ...set.reasons(node)].join(' ')])
  }
  lines.sort(([a], [b]) => Buffer.compare(a, b))
  return lines.map(([, line]) => line).join('\n')
}

/** The anomalies of a stack and its layers as `layer kind path`. */
export function anomaliesText(stack: Stack): string {
  const lines = stack.anomalies.map(({ layer, kind, path }) => `${layer} ${kind} ${path ? show(path) : ''}`.trim())
  return lines.sort().join('\n')
}

function entryText(stack: Stack, ref: number, path: Uint8Array): string {
  const entry = stack.entry(ref)
  const inode = stack.inodeOf(ref)
  const size = inode >= 0 ? ` ${stack.sizeOf(inode)}` : ' (nothing)'
  const name = show(path)
  if (entry.kind === Kind.dir) return `${name}/${metadata(entry, 0o755)}`
  if (entry.kind === Kind.symlink) return `${name} -> ${show(entry.link as Uint8Array)}${metadata(entry, 0o777)}`
  if (entry.kind === Kind.hardlink) return `${name}${size} = ${show(entry.link as Uint8Array)}`
  if (entry.kind === Kind.fifo) return `${name} fifo${metadata(entry, 0o644)}`
  if (entry.kind === Kind.char) return `${name} c${entry.devMajor},${entry.devMinor}${metadata(entry, 0o644)}`
  if (entry.kind === Kind.block) return `${name} b${entry.devMajor},${entry.devMinor}${metadata(entry, 0o644)}`
  return `${name}${size}${metadata(entry, 0o644)}`
}

function metadata(entry: Entry, usual: number): string {
  const mode = entry.mode === usual ? '' : ` ${entry.mode.toString(8).padStart(4, '0')}`
  return entry.uid === 0 && entry.gid === 0 ? mode : `${mode} ${entry.uid}:${entry.gid}`
}

function show(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) {
    const plain = byte > 0x20 && byte < 0x7f && byte !== 0x25
    text += plain ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0')}`
  }
  return text
}
