/** `strata blame`: every layer that touched a path, newest first. */

import { Fault } from '../base/errors.ts'
import { pathBytes } from '../base/paths.ts'
import { formatBytes } from '../base/sizes.ts'
import { safeBytes } from '../base/text.ts'
import { shortCommand } from '../image/command.ts'
import { type Blame, blame as blameOf } from '../layer/blame.ts'
import { ABSENT, IMPLIED } from '../layer/stack.ts'
import { type Analysis, settleContents } from './analysis.ts'
import { writeJsonLines } from './json.ts'
import type { Io } from './output.ts'
import type { Options } from './program.ts'
import { resolvePath } from './resolve.ts'
import { type Column, writeTable } from './table.ts'
import { type Target, withAnalysis } from './target.ts'
import { jsonPath, octal, permissions, styleOf } from './text.ts'

export async function blame(io: Io, [text, path]: string[], options: Options): Promise<number> {
  return withAnalysis(io, { text, options, contents: true }, async (analysis, target) => {
    const { stack } = analysis
    const node = nodeOf(analysis, target, path)
    for (const row of blameOf(stack, node)) {
      if (row.letter === 'C') await settleContents(analysis, row.layer, row.layer, { signal: io.signal })
    }
    const rows = blameOf(stack, node)
    if (rows.length === 0) throw new Fault(`No layer lists ${safeBytes(stack.tree.path(node)) || '/'}.`)
    if (options.json)
      await writeJsonLines(
        io.out,
        rows.map(row => rowJson(analysis, node, row)),
      )
    else await writeTable(io.out, columns(analysis), rows)
    return 0
  })
}

/** A path that is gone has a history too. */
function nodeOf({ stack }: Analysis, target: Target, path: string): number {
  const node = stack.tree.find(pathBytes(path))
  return node >= 0 ? node : resolvePath(stack, target, path, false)
}

function rowJson({ image, stack }: Analysis, node: number, { layer, letter, reasons, ref }: Blame): unknown {
  const step = image.steps.find(one => one.layer === layer)
  const entry = ref < 0 ? null : stack.entry(ref)
  return {
    ...jsonPath(stack.tree.path(node)),
    layer,
    step: step?.index ?? null,
    change: letter,
    reason: reasons.join(',') || null,
    size: ref === ABSENT ? null : stack.sizeOf(ref),
    mode: entry ? octal(entry.mode) : null,
    uid: entry?.uid ?? null,
    gid: entry?.gid ?? null,
    mtime: entry?.mtime ?? null,
    createdBy: step?.createdBy ?? null,
  }
}

function columns({ image, stack }: Analysis): Column<Blame>[] {
  const steps = new Map(image.steps.map(step => [step.layer, step]))
  const entry = (ref: number) => (ref < 0 ? null : stack.entry(ref))
  const bytes = ({ ref }: Blame) => (ref === ABSENT ? null : stack.sizeOf(ref))
  return [
    { title: 'LAYER', value: row => row.layer, align: 'right' },
    { title: 'STEP', value: row => steps.get(row.layer)?.index ?? null, align: 'right' },
    { title: '±', value: row => row.letter, style: row => styleOf(row.letter) },
    { title: 'REASON', value: row => row.reasons.join(',') },
    {
      title: 'PERMISSIONS',
      value: ({ ref }) =>
        ref === IMPLIED ? 'drwxr-xr-x' : ref < 0 ? '' : permissions(stack.kindOf(ref), entry(ref)!.mode),
    },
    { title: 'OWNER', value: ({ ref }) => (ref < 0 ? '' : `${entry(ref)!.uid}:${entry(ref)!.gid}`) },
    {
      title: 'SIZE',
      value: bytes,
      shown: row => (bytes(row) === null ? '' : formatBytes(bytes(row)!)),
      align: 'right',
    },
    {
      title: 'CREATED BY',
      value: row => shortCommand(steps.get(row.layer)?.createdBy ?? null, steps.get(row.layer)?.comment),
      cut: true,
    },
  ]
}
