/**
 * Which engine a container is on: the one that `--engine` names, else the native one where it has it, else Docker or
 * Podman. Daemons are asked only when they have to be.
 */
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import type { ContainerEngine } from '../../engine/containers.ts'
import { lookUpContainer } from '../../runtime/containers/shelf.ts'
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { surroundings } from '../surroundings.ts'
import { ownEngine } from './own-engine.ts'
import { ownPlaces } from './places.ts'

export interface Found {
  engine: ContainerEngine
  /** 64 hex digits for a native one; what the person wrote for others. */
  id: string
}

export interface Engines {
  /** The engine that has the container. Throws a Fault when none has it, or more than one. */
  find(wanted: string): Promise<Found>
  /** The one that `--engine` names; the native one when nobody names any. */
  wanted(): Promise<ContainerEngine>
  /** Every engine that answers, and what those that do not say. */
  all(): Promise<{ engines: ContainerEngine[]; silent: { name: string; reason: string }[] }>
  close(): void
}

/** Opens them for `use`, and closes what was opened. */
export async function withEngines<T>(io: Io, options: Options, use: (engines: Engines) => Promise<T>): Promise<T> {
  const engines = openEngines(io, options)
  try {
    return await use(engines)
  } finally {
    engines.close()
  }
}

/** Does one thing with each container, as docker does: says which, goes on after a failure, and tells of it in the exit code. */
export async function forEach(
  io: Io,
  options: Options,
  wanted: readonly string[],
  act: (found: Found) => Promise<string | null | undefined>,
): Promise<number> {
  return withEngines(io, options, async engines => {
    let code = 0
    const { told } = await import('./told.ts')
    for (const one of wanted) {
      try {
        const said = await act(await engines.find(one))
        if (said !== null) await io.out.write(`${safe(said ?? one)}\n`)
        await io.out.flush()
      } catch (error) {
        await told(io, error)
        code = 1
      }
    }
    return code
  })
}

/** For whoever keeps them open longer than one call; `close` ends them. */
export function openEngines(io: Pick<Io, 'signal'>, options: Options): Engines {
  const name = options.engine as string | undefined
  const asNative = name === undefined && options.context === undefined
  let daemons: Promise<Awaited<ReturnType<Engines['all']>>> | null = null
  const askDaemons = () => {
    daemons ??= findDaemons(io, options, name)
    return daemons
  }
  return {
    async find(wanted) {
      const places = ownPlaces()
      const own = name === 'native' || asNative ? lookUpContainer(places.containers, wanted) : null
      if (own) return { engine: ownEngine(options), id: own.id }
      if (name === 'native') throw nowhere(wanted, [])
      const { engines, silent } = await askDaemons()
      const asked = await Promise.all(engines.map(engine => has(engine, wanted)))
      const having = engines.filter((_, at) => asked[at])
      if (having.length === 1) return { engine: having[0], id: wanted }
      if (having.length === 0) throw nowhere(wanted, silent)
      throw new Fault(`There is a container “${safe(wanted)}” in ${having.map(one => one.id).join(' and in ')}.`, {
        hint: `Say which one: --engine ${having.map(one => one.id).join(' or --engine ')}.`,
      })
    },
    async wanted() {
      if (name === 'native' || asNative) return ownEngine(options)
      const { engines, silent } = await askDaemons()
      if (engines.length > 0) return engines[0]
      throw new Fault(`${safe(name ?? 'The engine')} does not answer${silent[0] ? `: ${silent[0].reason}` : '.'}`, {
        exitCode: 125,
      })
    },
    async all() {
      const own = name === 'native' || asNative ? [ownEngine(options)] : []
      if (name === 'native') return { engines: own, silent: [] }
      const { engines, silent } = await askDaemons()
      return { engines: [...own, ...engines], silent }
    },
    close() {
      void daemons?.then(
        ({ engines }) => {
          for (const engine of engines) engine.close()
        },
        () => {},
      )
    },
  }
}

async function findDaemons(io: Pick<Io, 'signal'>, options: Options, engine: string | undefined) {
  const { findEngines } = await import('../../engine/engine.ts')
  const { engines, failures } = await findEngines(surroundings(), {
    engine,
    context: options.context as string | undefined,
    signal: io.signal,
    mayAsk: process.stdin.isTTY === true,
  })
  const asked = failures.filter(one => one.asked || engine !== undefined)
  return { engines, silent: asked.map(({ name, fault }) => ({ name, reason: fault.message })) }
}

async function has({ containers }: ContainerEngine, wanted: string): Promise<boolean> {
  try {
    await containers.inspect(wanted)
    return true
  } catch (error) {
    if (isNone(error)) return false
    throw error
  }
}

/** How the engines say that there is no such container. */
function isNone(error: unknown): boolean {
  return error instanceof Fault && /no such container|no container with|there is no container/i.test(error.message)
}

function nowhere(wanted: string, silent: readonly { name: string; reason: string }[]): Fault {
  const also = silent.map(one => ` ${one.name} does not answer: ${one.reason}`).join('')
  return new Fault(`There is no container “${safe(wanted)}” here.${also}`, {
    hint: 'strata ps -a lists the containers.',
  })
}
