/** `strata shell`: stand in an image as of a step. What is changed there is gone afterwards, unless it is kept. */
import process from 'node:process'
import { Fault } from '../base/errors.ts'
import type { ContainerSpec } from '../engine/containers.ts'
import type { Engine } from '../engine/engine.ts'
import { prepareOptions } from './containers/places.ts'
import { as125, codeOf } from './containers/told.ts'
import { specOf } from './containers/wishes.ts'
import type { Io } from './output.ts'
import type { Options } from './program.ts'

export async function shell(io: Io, [image, ...rest]: string[], options: Options): Promise<number> {
  const command = rest[0] === '--' ? rest.slice(1) : rest
  const spec: ContainerSpec = {
    ...specOf(image, command, options),
    name: options.keep as string | undefined,
    tty: process.stdin.isTTY === true && process.stdout.isTTY === true,
  }
  const daemon = options.engine !== undefined && options.engine !== 'native'
  return as125(() =>
    daemon || options.context !== undefined ? shellOn(io, spec, options) : shellInImage(io, spec, options),
  )
}

/** Where a shell is in images, the most comfortable first. */
const shells = ['bash', 'ash', 'sh']

/** Inside of a daemon: an image of the first layers is loaded there without data, and removed afterwards. */
async function shellOn(io: Io, spec: ContainerSpec, options: Options): Promise<number> {
  const [{ intermediateImage }, { withImage }, { withEngines }] = await Promise.all([
    import('../engine/intermediate.ts'),
    import('./target.ts'),
    import('./containers/engines.ts'),
  ])
  if (spec.name !== undefined)
    throw new Fault('--keep is of the native engine: a daemon would keep an image that is ours to remove.', {
      exitCode: 2,
    })
  return withImage(io, { text: spec.image, options }, ({ image, step }) =>
    withEngines(io, options, async engines => {
      const engine = (await engines.wanted()) as Engine
      const made = await intermediateImage(engine, image, step?.index ?? image.steps.length, io.signal)
      try {
        return await firstShell(engine, { ...spec, image: made.id, network: spec.network ?? 'none', openStdin: true })
      } finally {
        await made.remove()
      }
    }),
  )
}

/** Tries one shell after the other: only the engine can tell which one is there. */
async function firstShell({ containers }: Engine, spec: ContainerSpec): Promise<number> {
  const { attachAndStart } = await import('./containers/attached.ts')
  const commands = spec.command ? [spec.command] : shells.map(name => [name])
  let missing: unknown = null
  for (const [program = '', ...command] of commands) {
    const { id } = await containers.create({ ...spec, entrypoint: [program], command })
    try {
      const how = { tty: spec.tty === true, stdin: true, start: () => containers.start(id) }
      return await attachAndStart(containers, id, how)
    } catch (error) {
      if (!(error instanceof Fault) || codeOf(error.message) !== 127) throw error
      missing = error
    } finally {
      await containers.remove(id, { force: true }).catch(() => {})
    }
  }
  throw missing
}

async function shellInImage(io: Io, spec: ContainerSpec, options: Options): Promise<number> {
  const [{ prepareImage }, { shellIn }] = await Promise.all([
    import('../engine/native/prepare.ts'),
    import('../engine/native/shell.ts'),
  ])
  const how = prepareOptions(options)
  const progress = io.err.terminal ? (await import('./progress.ts')).showProgress(io.err, 'Unpacking') : null
  const work = { ...how, signal: io.signal, onProgress: progress?.report }
  const image = await prepareImage(spec.image, work).finally(() => progress?.end())
  try {
    return await shellIn(how.places, image, spec)
  } finally {
    await image.release()
  }
}
