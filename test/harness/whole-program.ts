/** The whole program, screens and all, built as `npm run build` builds it, in a folder of its own: never a stale one. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { node } from './bundle.ts'
import { command } from './command.ts'

/** Its launcher, which takes the first `node` of PATH; `remove` takes all of it away. */
export async function buildWhole(): Promise<{ path: string; remove(): void }> {
  const folder = mkdtempSync(join(tmpdir(), 'strata-whole-'))
  const dist = join(folder, 'dist')
  await command(node, [fileURLToPath(new URL('../../src/build.ts', import.meta.url)), dist])
  return { path: join(dist, 'strata'), remove: () => rmSync(folder, { recursive: true, force: true }) }
}
