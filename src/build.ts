/**
 * Makes `dist/` from `src/` and `native/`: the bundle, the worker, the helper, and `dist/strata`, a launcher that runs on the Node of this
 * checkout from any folder. Called by `npm ci` (prepare) and `npm run build`.
 *
 * Ink lives in a chunk of its own (splitting), so that the command line never pays for loading it.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'

const here = dirname(fileURLToPath(import.meta.url))
const dist = join(here, '..', 'dist')
/** Built beside and renamed, so that a program that is running, or another build, never meets half of one. */
const fresh = `${dist}.${process.pid}.tmp`

/** Modules that our dependencies name but that Strata never uses: ssh goes through the user's own `ssh`. */
const unused: Plugin = {
  name: 'unused',
  setup(builder) {
    const filter = /^(ssh2|@grpc\/grpc-js|@grpc\/proto-loader|protobufjs.*|react-devtools-core|cpu-features)$/
    builder.onResolve({ filter }, args => ({ path: args.path, namespace: 'unused' }))
    builder.onLoad({ filter: /.*/, namespace: 'unused' }, () => ({
      contents: 'module.exports = {}',
      loader: 'js',
    }))
  },
}

/**
 * string-width builds its Unicode tables when it is loaded, 25 ms that most commands never need, and takes the long way
 * for the lines that frames are drawn with. Make it do both late: what is below is all one column wide.
 */
const lateStringWidth: Plugin = {
  name: 'late-string-width',
  setup(builder) {
    builder.onLoad({ filter: /node_modules\/string-width\/index\.js$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8')
      const imports = text.match(/^import .*$/gm) ?? []
      const body = text.replace(/^import .*$/gm, '').replace('export default function stringWidth', 'return function')
      const late = `let width
const narrow = /^[ -~·…›←-→─-╿▀-▟■-◼⏎]*$/
export default (text, options) =>
  narrow.test(text) && options?.ambiguousIsNarrow !== false ? text.length : (width ??= make())(text, options)
`
      return { contents: `${imports.join('\n')}\n${late}function make() {${body}}`, loader: 'js' }
    })
  },
}

/** Runs under any Node that can import a module, so that one too old gets a sentence and not a syntax error. */
const entry = `const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 15)) {
  process.stderr.write('strata needs Node 22.15 or newer, and this is Node ' + process.versions.node + '. Install a current Node, or start strata with dist/strata, which brings its own.\\n')
  process.exitCode = 1
} else {
  const { enableCompileCache } = await import('node:module')
  enableCompileCache?.()
  await import('./main.js')
}
`

/**
 * Looks through links for its own folder, then for the Node of the checkout, then for the machine's. A nursery of 8 MB:
 * frames are short-lived cells, and with more room V8 only lets more of them lie around (80 MB for nothing).
 */
const launcher = `#!/bin/sh
self=$(readlink -f -- "$0") || self=$0
dist=\${self%/*}
node=$dist/../node_modules/node/bin/node
[ -x "$node" ] || node=node
exec "$node" --disable-warning=ExperimentalWarning --max-semi-space-size=8 "$dist/strata.mjs" "$@"
`

mkdirSync(fresh)
await build({
  entryPoints: { main: join(here, 'main.ts'), worker: join(here, 'source/worker.ts') },
  outdir: fresh,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.15',
  jsx: 'automatic',
  minify: true,
  keepNames: true,
  sourcemap: false,
  legalComments: 'none',
  logLevel: 'warning',
  define: { 'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"' },
  banner: {
    js: "import { createRequire as strataRequire } from 'node:module'; const require = strataRequire(import.meta.url);",
  },
  plugins: [unused, lateStringWidth],
})
buildHelper()
writeFileSync(join(fresh, 'strata.mjs'), entry)
writeFileSync(join(fresh, 'strata'), launcher)
chmodSync(join(fresh, 'strata'), 0o755)
replace(dist, fresh)

/**
 * The native helper, where this machine has a compiler: `dist/` takes a copy, so that it is whole by itself. Where it can
 * not be built Strata goes on with daemons and archives; the reason is left beside it for `strata doctor` to tell.
 */
function buildHelper(): void {
  const native = join(here, '..', 'native')
  const { status, stderr, error } = spawnSync('make', ['-s', '-C', native], { encoding: 'utf8' })
  const helper = join(native, 'build', 'strata-native')
  if (status === 0) return copyFileSync(helper, join(fresh, 'strata-native'))
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
