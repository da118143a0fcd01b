/** `strata shell`: stand in an image as of a step. What is changed there is gone afterwards, unless it is kept. */
import process from 'node:process'
import { Fault } from '../base/errors.ts'
import type { ContainerSpec } from '../engine/containers.ts'
import type { Engine } from '../engine/engine.ts'
import type { Stack } from '../layer/stack.ts'
import { prepareOptions } from './containers/places.ts'
import { as125 } from './containers/told.ts'
import { specOf } from './containers/wishes.ts'
import type { Io } from './output.ts'
import type { Options } from './program.ts'
import type { Target } from './target.ts'

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
const shells = ['/bin/bash', '/usr/bin/bash', '/bin/ash', '/bin/sh', '/usr/bin/sh', '/busybox/sh']

/** Inside of a daemon: an image of the first layers is loaded there without data, and removed afterwards. */
async function shellOn(io: Io, spec: ContainerSpec, options: Options): Promise<number> {
  const [{ intermediateImage }, { withAnalysis }, { withEngines }] = await Promise.all([
    import('../engine/intermediate.ts'),
    import('./target.ts'),
    import('./containers/engines.ts'),
  ])
  if (spec.name !== undefined)
    throw new Fault('--keep is of the native engine: a daemon would keep an image that is ours to remove.', {
      exitCode: 2,
    })
  return withAnalysis(io, { text: spec.image, options }, async ({ image, stack }, target) => {
    const [program = '', ...command] = spec.command ?? [await shellOf(stack, target)]
    const wish = { ...spec, entrypoint: [program], command, network: spec.network ?? 'none', openStdin: true }
    return withEngines(io, options, async engines => {
      const engine = (await engines.wanted()) as Engine
      const made = await intermediateImage(engine, image, target.step?.index ?? image.steps.length, io.signal)
      try {
        return await runOnce(engine, { ...wish, image: made.id })
      } finally {
        await made.remove()
      }
    })
  })
}

/** Looked up in the layers, not tried out: each try would be a container. */
async function shellOf(stack: Stack, target: Target): Promise<string> {
  const { resolvePath } = await import('./resolve.ts')
  for (const path of shells) {
    try {
      resolvePath(stack, target, path, true)
      return path
    } catch {}
  }
  throw new Fault('The image has no shell as of this step.', {
    hint: 'Without --engine one is lent to it; or name a program: strata shell REF -- PROGRAM',
    exitCode: 127,
  })
}

async function runOnce({ containers }: Engine, spec: ContainerSpec): Promise<number> {
  const { attachAndStart } = await import('./containers/attached.ts')
  const { id } = await containers.create(spec)
  try {
    const how = { tty: spec.tty === true, stdin: true, start: () => containers.start(id) }
    return await attachAndStart(containers, id, how)
  } finally {
    await containers.remove(id, { force: true }).catch(() => {})
  }
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
