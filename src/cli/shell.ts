/** `strata shell`: stand in an image as of a step. What is changed there is gone afterwards, unless it is kept. */
import process from 'node:process'
import type { ContainerSpec } from '../engine/containers.ts'
import { prepareOptions } from './containers/places.ts'
import { as125 } from './containers/told.ts'
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
  return as125(() => shellInImage(io, spec, options))
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
