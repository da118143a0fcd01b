/** `strata run`: a new container of an image, with this terminal or by itself. Exit codes as docker's. */
import { Fault } from '../../base/errors.ts'
import type { ContainerEngine, ContainerSpec } from '../../engine/containers.ts'
import { makeContainer } from '../../engine/native/make.ts'
import { prepareImage } from '../../engine/native/prepare.ts'
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { runHere } from './native-here.ts'
import { prepareOptions } from './places.ts'
import { as125 } from './told.ts'
import { specOf } from './wishes.ts'

export async function run(io: Io, [image, ...command]: string[], options: Options): Promise<number> {
  const spec = specOf(image, command, options)
  const detached = options.detach === true
  const detachKeys = options.detachKeys as string | undefined
  if (!detached && spec.tty && spec.openStdin) await needTerminal()
  if (detached) spec.stdinOnce = false
  const named = options.cidfile === undefined ? null : (await import('./cid-file.ts')).openCidFile(options)
  if ((options.engine ?? 'native') === 'native' && options.context === undefined)
    return as125(() => runNative(io, spec, options, detached, detachKeys, named))
  const { withEngines } = await import('./engines.ts')
  return as125(() =>
    withEngines(io, options, async engines => {
      const engine = await engines.wanted()
      const { pullerOf, withPull } = await import('../store/pull-missing.ts')
      const made = await withPull(io, image, options, pullerOf(engine), () =>
        engine.containers.create(spec, { signal: io.signal }),
      )
      named?.(made.id)
      return runOn(io, engine, made, spec, detached, detachKeys)
    }),
  )
}

/** docker's rule: who wants a terminal and types has to have one. */
export async function needTerminal(): Promise<void> {
  const { isatty } = await import('node:tty')
  if (!isatty(0))
    throw new Fault('Standard input is no terminal.', { hint: 'Leave out -t to pipe into the command.', exitCode: 1 })
}

async function runNative(
  io: Io,
  spec: ContainerSpec,
  options: Options,
  detached: boolean,
  detachKeys: string | undefined,
  named: ((id: string) => void) | null,
): Promise<number> {
  const how = prepareOptions(options)
  // An image that has been prepared before is there at once: nothing is shown, and nothing is loaded to show it.
  const progress = how.quickId(spec.image) === null ? await progressOf(io) : null
  const prepare = () =>
    prepareImage(spec.image, { ...how, signal: io.signal, onProgress: progress?.report }).finally(() => progress?.end())
  // What is there and not to be pulled anew needs nothing of registries.
  const plain = progress === null && options.pull === undefined
  const image = await (plain
    ? prepare()
    : (await import('../store/pull-missing.ts')).withPull(io, spec.image, options, null, prepare))
  const record = await Promise.resolve()
    .then(() => makeContainer(how.places, image, spec))
    .finally(() => image.release())
  named?.(record.id)
  for (const warning of record.warnings ?? []) await io.err.write(`strata: warning: ${warning}\n`)
  if (record.warnings) await io.err.flush()
  if (detached) {
    const { startContainer } = await import('../../runtime/containers/start.ts')
    await startContainer(how.places, record)
    await io.out.write(`${record.id}\n`)
    return 0
  }
  return runHere(how.places, record, detachKeys)
}

async function progressOf(io: Io) {
  return io.err.terminal ? (await import('../progress.ts')).showProgress(io.err, 'Unpacking') : null
}

/** On a daemon: attached before it starts, so that nothing it says is lost. */
async function runOn(
  io: Io,
  { containers }: ContainerEngine,
  { id, warnings }: Awaited<ReturnType<ContainerEngine['containers']['create']>>,
  spec: ContainerSpec,
  detached: boolean,
  detachKeys: string | undefined,
): Promise<number> {
  const { safe } = await import('../../base/text.ts')
  for (const warning of warnings) await io.err.write(`strata: warning: ${safe(warning)}\n`)
  await io.err.flush()
  if (detached) {
    await startOrRemove(containers, id, spec)
    await io.out.write(`${id}\n`)
    return 0
  }
  const { attachAndStart } = await import('./attached.ts')
  return attachAndStart(containers, id, {
    tty: spec.tty === true,
    stdin: spec.openStdin === true,
    detachKeys,
    start: () => startOrRemove(containers, id, spec),
  })
}

/** What was only made for this and could not begin is not left behind. */
async function startOrRemove(
  containers: ContainerEngine['containers'],
  id: string,
  spec: ContainerSpec,
): Promise<void> {
  try {
    await containers.start(id)
  } catch (error) {
    if (spec.remove) await containers.remove(id, { force: true }).catch(() => {})
    throw error
  }
}
