/** Golden frames: what a screen shows, as readable text in `snapshots/NAME/COLUMNSxROWS.txt`. */
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { type Emulator, screenText, styleText } from './terminal.ts'

const snapshots = fileURLToPath(new URL('../../snapshots/', import.meta.url))

/**
 * Compares the screen with its golden frame; `vitest -u` writes it anew. With `styles`, a second file
 * (`….style.txt`) holds the style of every cell.
 */
export async function expectFrame(
  { terminal }: { terminal: Emulator },
  name: string,
  options: { styles?: boolean } = {},
): Promise<void> {
  const file = `${snapshots}${name}/${terminal.cols}x${terminal.rows}`
  await expect(`${screenText(terminal)}\n`).toMatchFileSnapshot(`${file}.txt`)
  if (options.styles) await expect(`${styleText(terminal)}\n`).toMatchFileSnapshot(`${file}.style.txt`)
}
