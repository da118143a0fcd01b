/**
 * The image that the container operations of overlay-diff.json start from: its layers, read and verified. The operations
 * themselves need containers.
 */
import { join } from 'node:path'
import { Stack } from '../../src/layer/stack.ts'
import { openImage } from '../../src/source/open.ts'
import { compare, type Report } from './report.ts'

interface ExpectedOverlay {
  base: string
  scenarios: { id: string; tree: string[]; upper_diff: string[] }[]
}

export async function checkOverlayBase(root: string, expected: ExpectedOverlay, report: Report): Promise<void> {
  await report.run(`overlay-diff/${expected.base}`, async () => {
    const image = await openImage(join(root, expected.base), { cache: false, verify: true })
    try {
      const stack = new Stack()
      for (const { index } of image.layers) stack.push(await image.indexLayer(index))
      const wasted = stack.waste.reduce((sum, row) => sum + row.bytes, 0)
      return [
        ...compare(
          'layers with a diffID that fits',
          image.layers.map(layer => layer.diffId),
          stack.layers.map(index => index.diffId),
        ),
        ...compare('the ledger adds up', stack.stored - stack.visible, wasted),
        ...missing(stack, expected),
      ]
    } finally {
      await image.close()
    }
  })
  report.note(`not run: ${expected.scenarios.length} container operations of overlay-diff (they need containers)`)
}

/** What an operation changes or deletes has to be in the image; what it adds has not. */
function missing(stack: Stack, { scenarios }: ExpectedOverlay): string[] {
  const { current } = stack.view(stack.layers.length - 1)
  const paths = new Set(
    scenarios.flatMap(({ tree }) => tree.filter(line => line.startsWith('D ')).map(line => line.slice(3))),
  )
  const has = (path: string) => {
    const node = stack.tree.find(Buffer.from(path))
    return node >= 0 && current[node] !== -1
  }
  return [...paths].filter(path => !has(path)).map(path => `${path} is not in the image`)
}
