/** Small programs of the tests as one file that Node runs, made as the real program is made. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'

/** The Node of the checkout. */
export const node = fileURLToPath(new URL('../../node_modules/node/bin/node', import.meta.url))

/** Bundles `test/harness/fixtures/NAME` and gives the path of the result; `remove` takes it away again. */
export function bundleFixture(name: string): { path: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'strata-fixture-'))
  const stub = join(folder, 'stub.mjs')
  const path = join(folder, 'fixture.mjs')
  writeFileSync(stub, 'export default {}\n')
  buildSync({
    entryPoints: [fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))],
    outfile: path,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node22.15',
    jsx: 'automatic',
    logLevel: 'warning',
    define: { 'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"' },
    alias: { 'react-devtools-core': stub },
    banner: {
      js: "import { createRequire as strataRequire } from 'node:module'; const require = strataRequire(import.meta.url);",
    },
  })
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
