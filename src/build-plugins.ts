/** What the build changes in dependencies, each for a reason that was measured. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'esbuild'

/**
 * Modules that our dependencies name but that Strata never uses: ssh goes through the user's own `ssh`, and nothing is
 * built from a directory. dockerode loads 8 ms sooner without them, and on Node's own streams.
 */
export const unused: Plugin = {
  name: 'unused',
  setup(builder) {
    const filter =
      /^(ssh2|@grpc\/grpc-js|@grpc\/proto-loader|protobufjs.*|react-devtools-core|cpu-features|tar-fs|@balena\/dockerignore|debug|readable-stream)$/
    builder.onResolve({ filter }, args => ({ path: args.path, namespace: 'unused' }))
    builder.onLoad({ filter: /.*/, namespace: 'unused' }, ({ path }) => ({
      contents: `module.exports = ${inPlaceOf[path] ?? '{}'}`,
      loader: 'js',
    }))
  },
}

const inPlaceOf: Record<string, string> = { debug: '() => () => {}', 'readable-stream': "require('node:stream')" }

/**
 * string-width builds its Unicode tables when it is loaded, 25 ms that most commands never need, and takes the long way
 * for the lines that frames are drawn with. Make it do both late: what is below is all one column wide.
 */
export const lateStringWidth: Plugin = {
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

/**
 * yoga waits for its WebAssembly at the top level of a module, which only the slow module loader can do. It is small:
 * compiled on the spot there is nothing to wait for. The glue calls the hook and is whole when it returns.
 */
export const promptYoga: Plugin = {
  name: 'prompt-yoga',
  setup(builder) {
    builder.onLoad({ filter: /node_modules\/yoga-layout\/dist\/src\/index\.js$/ }, ({ path }) => {
      const glue = readFileSync(join(path, '../../binaries/yoga-wasm-base64-esm.js'), 'utf8')
      const wasm = /"data:application\/octet-stream;base64,([^"]+)"/.exec(glue)?.[1]
      const contents = `import wrapAssembly from './wrapAssembly.js'
import load from '../binaries/yoga-wasm-base64-esm.js'
const yoga = {
  instantiateWasm(imports, done) {
    const bytes = Buffer.from('${wasm}', 'base64')
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports)
    done(instance)
    return instance.exports
  },
}
load(yoga)
export default wrapAssembly(yoga)
export * from './generated/YGEnums.js'
`
      return { contents, loader: 'js' }
    })
    builder.onLoad({ filter: /yoga-wasm-base64-esm\.js$/ }, ({ path }) => {
      const glue = readFileSync(path, 'utf8')
      return { contents: glue.replace(/(base64,)[^"]{1000,}/, '$1').replace('import.meta.url', "''"), loader: 'js' }
    })
  },
}

/** Ink asks the environment whether to wait, at the top level of a module, for React's developer tools: never here. */
export const noDevtools: Plugin = {
  name: 'no-devtools',
  setup(builder) {
    builder.onLoad({ filter: /node_modules\/ink\/build\/reconciler\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll("process.env['DEV'] === 'true'", 'false'),
      loader: 'js',
    }))
  },
}
