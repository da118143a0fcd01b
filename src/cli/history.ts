/** `strata history`: the steps, newest first as `docker history` has them. */
import { formatAge, formatBytes } from '../base/sizes.ts'
import { safe } from '../base/text.ts'
import { shortCommand } from '../image/command.ts'
import { shortDigest } from '../image/digest.ts'
import type { Step } from '../image/types.ts'
import { linesOf, type WrittenInstruction } from '../image/written.ts'
import { stepsWritten } from '../image/written-steps.ts'
import { writeJsonLines } from './json.ts'
import type { Io } from './output.ts'
import type { Options } from './program.ts'
import { type Column, writeTable } from './table.ts'
import { withAnalysis } from './target.ts'
import { readDockerfile } from './written.ts'

export async function history(io: Io, [text]: string[], options: Options): Promise<number> {
  const file = typeof options.dockerfile === 'string' ? await readDockerfile(options.dockerfile) : null
  return withAnalysis(io, { text, options, farLayers: false }, async ({ image, stack }, { step: last }) => {
    const compressed = (step: Step) => (step.layer === null ? null : image.layers[step.layer].compressed)
    // Of an image in its registry no layer is read: what it is there is all that is known.
    const stored = (step: Step) => (step.layer === null ? 0 : image.far ? null : stack.layers[step.layer].stored)
    const size: Column<Step> = image.far
      ? bytesColumn('COMPRESSED', step =>
          step.layer === null ? 0 : (compressed(step) ?? image.layers[step.layer].roughBytes),
        )
      : bytesColumn('SIZE', stored)
    const steps = image.steps.slice(0, last?.index).reverse()
    if (options.json)
      await writeJsonLines(
        io.out,
        steps.map(step => ({ ...stepJson(step), stored: stored(step), compressed: compressed(step) })),
      )
    else {
      const wrote = file && stepsWritten(file, image.steps)
      await writeTable(io.out, [...columns(size), ...(wrote ? [linesColumn(wrote)] : [])], steps)
    }
    return 0
  })
}

function stepJson({ index, createdBy, created, comment, author, layer, imageId }: Step) {
  return { index, createdBy, created, comment, author, layer, imageId }
}

function bytesColumn(title: string, bytes: (step: Step) => number | null): Column<Step> {
  return { title, value: bytes, shown: step => formatBytes(bytes(step) ?? 0), align: 'right' }
}

function columns(size: Column<Step>): Column<Step>[] {
  return [
    { title: 'STEP', value: step => step.index, align: 'right' },
    {
      title: 'LAYER',
      value: step => step.layer,
      shown: step => (step.layer === null ? '·' : String(step.layer)),
      align: 'right',
    },
    {
      title: 'IMAGE',
      value: step => step.imageId ?? '<missing>',
      shown: step => (step.imageId ? shortDigest(step.imageId) : '<missing>'),
    },
    { title: 'CREATED', value: step => safe(step.created ?? ''), shown: step => age(step.created) },
    size,
    { title: 'CREATED BY', value: step => shortCommand(step.createdBy, step.comment), cut: true },
  ]
}

function linesColumn(wrote: ReadonlyMap<number, WrittenInstruction>): Column<Step> {
  const lines = (step: Step) => {
    const one = wrote.get(step.index)
    return one ? linesOf(one) : ''
  }
  return { title: 'LINES', value: lines, shown: step => lines(step) || '·' }
}

function age(created: string | null): string {
  return created === null ? '–' : formatAge(Date.now() - Date.parse(created))
}
