/**
 * Makes `dist/` from `src/` and `native/`: the bundle, the worker, the helper, and `dist/strata`, a launcher that runs on the Node of this
 * checkout from any folder. Called by `npm ci` (prepare) and `npm run build`.
 *
 * Ink lives in a chunk of its own (splitting), so that the command line never pays for loading it. `node src/build.ts DIR`
 * makes it somewhere else.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, transform } from 'esbuild'
import { lateStringWidth, noDevtools, promptYoga, unused } from './build-plugins.ts'

const here = dirname(fileURLToPath(import.meta.url))
const dist = process.argv[2] ?? join(here, '..', 'dist')
/** Built beside and renamed, so that a program that is running, or another build, never meets half of one. */
const fresh = `${dist}.${process.pid}.tmp`

/** What a chunk exports as plain properties once it is loaded: each use would otherwise call two getters, in hot loops too. */
const settled = 'module.exports=Object.assign(Object.defineProperty({},"__esModule",{value:true}),module.exports);'
const ownUrl = "const strataUrl=require('node:url').pathToFileURL(__filename).href;"

/** Runs under any Node, so that one too old gets a sentence and not a syntax error. */
const entry = `var version = process.versions.node.split('.').map(Number)
if (version[0] < 22 || (version[0] === 22 && version[1] < 15)) {
  process.stderr.write('strata needs Node 22.15 or newer, and this is Node ' + process.versions.node + '. Install a current Node, or start strata with dist/strata, which brings its own.\\n')
  process.exitCode = 1
} else {
  if (process.env.MALLOC_ARENA_MAX === '2') delete process.env.MALLOC_ARENA_MAX
  if (process.env.MALLOC_MMAP_THRESHOLD_ === '1048576') delete process.env.MALLOC_MMAP_THRESHOLD_
  require('node:module').enableCompileCache()
  require('./main.js')
}
`

/**
 * Looks through links for its own folder, then for the Node of the checkout, then for the machine's. A nursery of 8 MB:
 * frames are short-lived cells, and with more room V8 only lets more of them lie around (80 MB for nothing). glibc gives
 * columns back that are done with, and keeps what threads leave in two arenas (30 MB of 228 with 500 000 entries on the
 * screen); what Strata starts does not inherit that.
 */
const launcher = `#!/bin/sh
self=$(readlink -f -- "$0") || self=$0
dist=\${self%/*}
node=$dist/../node_modules/node/bin/node
[ -x "$node" ] || node=node
export MALLOC_ARENA_MAX="\${MALLOC_ARENA_MAX-2}" MALLOC_MMAP_THRESHOLD_="\${MALLOC_MMAP_THRESHOLD_-1048576}"
exec "$node" --disable-warning=ExperimentalWarning --max-semi-space-size=8 "$dist/strata.js" "$@"
`

// What a failed build has made goes with it; of one that succeeded nothing is left there.
process.on('exit', () => rmSync(fresh, { recursive: true, force: true }))
mkdirSync(fresh)
await Promise.all([
  bundle({ main: join(here, 'main.ts') }, true),
  bundle({ worker: join(here, 'source/worker.ts') }, false),
])
writeFileSync(join(fresh, 'package.json'), '{"type":"commonjs"}\n')
buildHelper()
writeFileSync(join(fresh, 'strata.js'), entry)
writeFileSync(join(fresh, 'strata'), launcher)
chmodSync(join(fresh, 'strata'), 0o755)
replace(dist, fresh)

/**
 * Chunks that load each other, as CommonJS: Node's loader of ES modules takes 15 ms more for the smallest command, and
 * makes a copy of all that a built-in module exports, for node:http 20 ms. esbuild splits only ES modules, so each
 * chunk is turned when it is made.
 */
async function bundle(entryPoints: Record<string, string>, splitting: boolean): Promise<void> {
  const { outputFiles } = await build({
    entryPoints,
    outdir: fresh,
    write: false,
    bundle: true,
    splitting,
    format: 'esm',
    platform: 'node',
    target: 'node22.15',
    jsx: 'automatic',
    minify: true,
    keepNames: true,
    sourcemap: false,
    legalComments: 'none',
    logLevel: 'warning',
    define: { 'process.env.NODE_ENV': '"production"' },
    plugins: [unused, lateStringWidth, promptYoga, noDevtools],
  })
  for (const { path, text } of outputFiles) {
    const { code } = await transform(text, {
      format: 'cjs',
      platform: 'node',
      target: 'node22.15',
      supported: { 'dynamic-import': false },
      define: { 'import.meta.url': 'strataUrl' },
      minify: true,
      logLevel: 'warning',
    })
    writeFileSync(path, `${code.includes('strataUrl') ? ownUrl : ''}${code}${settled}`)
  }
}

/**
 * The native helper, where this machine has a compiler: `dist/` takes a copy, so that it is whole by itself. Where it can
 * not be built Strata goes on with daemons and archives; the reason is left beside it for `strata doctor` to tell.
 */
function buildHelper(): void {
  const native = join(here, '..', 'native')
  const { status, stderr, error } = spawnSync('make', ['-s', '-C', native], { encoding: 'utf8' })
  const built = join(native, 'build')
  const addon = join(built, 'strata-inflate.node')
  if (existsSync(addon)) copyFileSync(addon, join(fresh, 'strata-inflate.node'))
  if (status === 0) return copyFileSync(join(built, 'strata-native'), join(fresh, 'strata-native'))
  const reason = (error?.message ?? stderr).trim().slice(-2000)
  writeFileSync(join(fresh, 'strata-native.missing'), reason)
  console.warn(`strata: the native runtime is not built, everything else is: ${reason.split('\n')[0]}`)
}

/** Two builds at once take turns: whoever comes last wins, and neither fails. */
function replace(old: string, made: string, tries = 5): void {
  rmSync(old, { recursive: true, force: true })
  try {
    renameSync(made, old)
  } catch (error) {
    if (tries === 0) throw error
    replace(old, made, tries - 1)
  }
}
