/**
 * `strata pull` and `push` with `--engine`: the daemon does it, with the name and password that its own client would send
 * along, and its progress is shown as our own.
 */
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import type { RegistryTransfer, TransferLine } from '../../engine/daemon-registry.ts'
import { type Engine, findEngines } from '../../engine/engine.ts'
import type { ImageName } from '../../image/image-name.ts'
import { told } from '../containers/told.ts'
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { surroundings } from '../surroundings.ts'
import { usage } from '../usage.ts'
import { type LayerLines, showLayers } from './pull-progress.ts'
import { accessOf, registryNameOf, tlsVerifyOf } from './registry.ts'

/** Goes on after a failure, and tells of it in the exit code. */
export async function pullByDaemon(io: Io, names: readonly ImageName[], options: Options): Promise<number> {
  return withDaemon(io, options, async engine => {
    let code = 0
    for (const name of names) {
      try {
        await pullOn(io, engine, name, options)
      } catch (error) {
        if (io.signal.aborted || names.length === 1) throw error
        await told(io, error)
        code = 1
      }
    }
    return code
  })
}

/** One image, into the store of this engine. */
export async function pullOn(io: Io, engine: Pick<Engine, 'pull'>, name: ImageName, options: Options): Promise<void> {
  const how = {
    allTags: options.allTags === true,
    ...(options.platform === undefined ? {} : { platform: String(options.platform) }),
  }
  await shown(io, name, options, transfer => engine.pull(name, { ...transfer, ...how }))
}

export async function pushByDaemon(
  io: Io,
  source: string,
  target: string | undefined,
  options: Options,
): Promise<number> {
  const name = registryNameOf(source)
  if (target !== undefined && target !== source)
    throw usage(
      'A daemon pushes an image under the name that it has.',
      'Give it the other name first: docker tag, podman tag.',
    )
  return withDaemon(io, options, async engine => {
    await shown(io, name, options, transfer => engine.push(name, transfer))
    return 0
  })
}

async function withDaemon<T>(io: Io, options: Options, use: (engine: Engine) => Promise<T>): Promise<T> {
  const wanted = options.engine as string | undefined
  const { engines, failures } = await findEngines(surroundings(), {
    engine: wanted,
    context: options.context as string | undefined,
    signal: io.signal,
    mayAsk: process.stdin.isTTY === true,
  })
  try {
    const why = failures[0] ? `: ${failures[0].fault.message}` : '.'
    if (engines.length === 0) throw new Fault(`${safe(wanted ?? 'The engine')} does not answer${why}`)
    return await use(engines[0])
  } finally {
    for (const engine of engines) engine.close()
  }
}

async function shown(
  io: Io,
  name: ImageName,
  options: Options,
  work: (transfer: RegistryTransfer) => Promise<void>,
): Promise<void> {
  const quiet = options.quiet === true || options.json === true
  const lines = showLayers(quiet ? { ...io.err, terminal: false } : io.err, quiet ? null : io.out)
  const said: string[] = []
  const who = await accessOf(options).credentials(name.registry!, name.repository!)
  const onLine = (line: TransferLine) => {
    if (!isLayer(line)) said.push(line.status)
    else if (!quiet) lines.layer(lineOf(line))
  }
  await work({ who, tlsVerify: tlsVerifyOf(options), signal: io.signal, onLine }).finally(() => lines.end())
  for (const text of quiet ? said.slice(-1) : said) await io.out.write(`${safe(text)}\n`)
  await io.out.flush()
}

function isLayer({ id }: TransferLine): boolean {
  return id !== null && /^[0-9a-f]{12,64}$/.test(id)
}

/** docker's own words tell whether a layer still moves. */
function lineOf({ id, status, done, total }: TransferLine): Parameters<LayerLines['layer']>[0] {
  const over =
    /complete$|already exists|^Pushed|^Mounted|skipped/i.test(status) && !/^(?:Download|Verifying)/.test(status)
  const kind = over ? 'over' : done !== null ? 'moves' : 'waits'
  return { digest: `sha256:${id}`, done: done ?? 0, total, doing: safe(status), kind }
}
