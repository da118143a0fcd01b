/** `--pull always|missing|never` of run and create, as docker has it: what is nowhere here is pulled unless nobody wants that. */
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import type { Engine } from '../../engine/engine.ts'
import { parseReference } from '../../image/reference.ts'
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { usage } from '../usage.ts'

type Puller = Pick<Engine, 'pull'>

/** The engine of containers, where it is one that pulls by itself. */
export function pullerOf(engine: object): Puller | null {
  return 'pull' in engine ? (engine as Puller) : null
}

/** Does the work, after a pull or once more after one. `engine`: whose image it is to be; null: the native store's. */
export async function withPull<T>(
  io: Io,
  image: string,
  options: Options,
  engine: Puller | null,
  work: () => Promise<T>,
): Promise<T> {
  const when = (options.pull as string | undefined) ?? 'missing'
  if (!['always', 'missing', 'never'].includes(when))
    throw usage(`--pull is always, missing or never, and “${safe(when)}” is none of them.`)
  if (when === 'always') await pullFor(io, image, options, engine)
  try {
    return await work()
  } catch (error) {
    if (when !== 'missing' || !isMissing(error) || nameOf(image) === null) throw error
    await io.err.write(`There is no image “${safe(image)}” here: it is pulled.\n`)
    await pullFor(io, image, options, engine)
    return work()
  }
}

function isMissing(error: unknown): boolean {
  if (!(error instanceof Fault)) return false
  return error.name === 'NoImage' || /no such image|image not known/i.test(error.message)
}

/** What a registry could be asked for; null: it is a file, or an id. */
function nameOf(image: string) {
  const reference = parseReference(image)
  const isName = reference.kind === 'name' || (reference.kind === 'engine' && reference.engine === 'native')
  return isName && reference.step === null && reference.name.repository !== null ? reference.name : null
}

/** All that it shows goes to standard error: what is run has the other. */
async function pullFor(io: Io, image: string, options: Options, engine: Puller | null): Promise<void> {
  const name = nameOf(image)
  if (name === null) throw usage(`“${safe(image)}” is not in a registry: it can not be pulled.`)
  const { platform, tlsVerify } = options
  const beside = { ...io, out: io.err, err: io.err, signal: io.signal }
  if (engine !== null) return (await import('./pull-daemon.ts')).pullOn(beside, engine, name, { platform, tlsVerify })
  await (await import('./pull.ts')).pullOne(beside, name, { platform, tlsVerify })
}
