/**
 * `strata build`: the engine's own builder does it, with its own flags and on this terminal; then the result is shown, each
 * step with the lines of the Dockerfile that made it. `--debug`: a build that fails ends in a shell before the failed step.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { whyNoScreen } from '../ui/terminal/colours.ts'
import { readBuildArguments } from './build/arguments.ts'
import { findBuilder } from './build/builders.ts'
import { idIn } from './build/last-good.ts'
import { runBuilder } from './build/run.ts'
import type { Io } from './output.ts'
import type { Options } from './program.ts'
import { usage } from './usage.ts'
import { readDockerfile } from './written.ts'

export async function build(io: Io, args: string[]): Promise<number> {
  const read = readBuildArguments(args)
  if (read.handed.length === 0)
    throw usage('strata build needs what the builder needs: a context, most often “.”.', 'strata build -t NAME .')
  const { own } = read
  const builder = await findBuilder(own.engine, own.context)
  const screen = !own.json && !own.ci && whyNoScreen(process.env, process.stdin, process.stdout) === null
  const written = read.file === null ? null : await readDockerfile(read.file).catch(() => null)
  const built = await withScratch(async scratch => {
    const idFile = read.idFile ?? join(scratch, 'id')
    const args = read.idFile === undefined ? ['--iidfile', idFile, ...read.handed] : read.handed
    const { code, said } = await runBuilder(builder, args, { listen: own.debug === true, keepStdout: !screen })
    io.signal.throwIfAborted()
    if (code === 0) return { code, id: read.elsewhere ? null : await idIn(idFile, builder) }
    if (own.debug) await (await import('./build/debug.ts')).debugBuild(io, builder, read, { said, written, scratch })
    else if (screen && written)
      await io.err.write('strata: build --debug opens a shell in the image before the step that failed.\n')
    return { code, id: null }
  })
  if (built.id === null) return built.code
  return show(io, builder.reference(built.id), {
    ...(written ? { dockerfile: read.file, target: read.target } : {}),
    ...(own.context === undefined ? {} : { context: own.context }),
    ...(own.json ? { json: true } : {}),
    ...(own.ci ? { ci: true, ...(own.rules === undefined ? {} : { rules: own.rules }) } : {}),
  })
}

/** A folder of ours for as long as the building takes: the screens may end with the whole program. */
async function withScratch<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'strata-build-'))
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function show(io: Io, reference: string, options: Options): Promise<number> {
  if (options.json || options.ci) return (await import('./analyze.ts')).analyze(io, [reference], options)
  return (await import('./screens.ts')).screens(io, [reference], options, [])
}
