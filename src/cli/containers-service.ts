/** The containers of this machine's engines for the screens: every engine that can be found, watched at once. */
import type { ContainersService } from '../actions/containers-service.ts'
import type { EngineEvent } from '../engine/containers.ts'
import type { Coming, EngineSource, WatchedEngine, Watching } from '../engine/watching.ts'
import type { Options } from './program.ts'
import { surroundings } from './surroundings.ts'

/** Nothing of engines is loaded before somebody watches. */
export function createContainersService(options: Options): ContainersService {
  return {
    watch: () => watchLater(() => watchAll(options)),
    shell: async (engine, container) => (await import('./container-shell.ts')).shellAt(engine, container, options),
    engines: async signal => (await import('./container-deeds.ts')).everyEngine(signal, options),
    attach: async (engine, container, how) =>
      (await import('./container-attach.ts')).attachAt(engine, container, how, options),
    copy: async (engine, id, how, work) => (await import('./container-copy.ts')).copyAt(engine, id, how, work),
    namesInside: async (engine, container, path) =>
      (await import('./container-copy.ts')).namesInside(engine, container, path, options),
    reach: async (engine, name, run) => (await import('./container-deeds.ts')).reach(engine, name, run, options),
    save: async (path, lines, how) => (await import('./save-lines.ts')).saveLines(path, lines, how),
    exportLayer: async (engine, name, path, work) => {
      const [{ reach }, { writeLayer }] = await Promise.all([
        import('./container-deeds.ts'),
        import('./export-changes.ts'),
      ])
      return reach(engine, name, (found, id) => writeLayer(found, id, path, work), options)
    },
    asDockerfile: async (engine, name, { signal = new AbortController().signal }) => {
      const [{ reach }, { dockerfileLines }] = await Promise.all([
        import('./container-deeds.ts'),
        import('./export-changes.ts'),
      ])
      return reach(engine, name, (found, id) => dockerfileLines(found, id, signal), options)
    },
    readOnly: options.readOnly === true,
  }
}

async function watchAll(options: Options): Promise<Watching> {
  const { watchEngines } = await import('../engine/watching.ts')
  const daemons = () => daemonSources(options)
  const sources = [...(await nativeSource(options)), ...(await daemons())]
  return watchEngines(sources, {}, options.engine === 'native' ? undefined : await coming(sources, daemons))
}

/** Engines whose sockets come, or come back, while somebody watches. */
async function coming(sources: readonly EngineSource[], find: () => Promise<EngineSource[]>): Promise<Coming> {
  const [{ socketPlaces }, { watchSockets }] = await Promise.all([
    import('../engine/endpoints.ts'),
    import('../engine/new-sockets.ts'),
  ])
  const named = sources.flatMap(({ place }) => (place?.startsWith('unix://') ? [place.slice('unix://'.length)] : []))
  const paths = [...new Set([...named, ...socketPlaces(surroundings())])]
  return { find, onChange: told => watchSockets(paths, told) }
}

async function nativeSource(options: Options): Promise<EngineSource[]> {
  const native = options.engine === 'native' || (options.engine === undefined && options.context === undefined)
  if (!native) return []
  const { ownEngine } = await import('./containers/own-engine.ts')
  return [{ id: 'native', open: async () => ownEngine(options) }]
}

async function daemonSources(options: Options): Promise<EngineSource[]> {
  const wanted = options.engine as string | undefined
  if (wanted === 'native') return []
  const [{ findEndpoints }, { daemonSource }] = await Promise.all([
    import('../engine/endpoints.ts'),
    import('../engine/watching.ts'),
  ])
  const around = surroundings()
  const { endpoints, failures } = await findEndpoints(around, { context: options.context as string | undefined })
  const concerned = (name: string) => wanted === undefined || name === wanted || name.startsWith(`${wanted}-`)
  return [
    ...endpoints
      .filter(({ name, asked }) => asked || concerned(name))
      .map(one => daemonSource(one, { env: around.env })),
    ...failures.map(({ name, fault }) => ({ id: name, open: () => Promise.reject(fault) })),
  ]
}

/** A watch that is there at once, and knows nothing until what it stands for has begun. */
function watchLater(begin: () => Promise<Watching>): Watching {
  const listeners = new Set<() => void>()
  const eventListeners = new Set<(engine: string, event: EngineEvent) => void>()
  const nothing: readonly WatchedEngine[] = []
  let watching: Watching | null = null
  let closed = false
  const added = <T>(set: Set<T>, one: T) => {
    set.add(one)
    return () => set.delete(one)
  }
  const tell = () => {
    for (const listener of listeners) listener()
  }
  begin().then(
    begun => {
      if (closed) return begun.close()
      watching = begun
      begun.subscribe(tell)
      begun.onEvent((engine, event) => {
        for (const listener of eventListeners) listener(engine, event)
      })
      tell()
    },
    () => {}, // finding says its failures as engines that are lost
  )
  return {
    snapshot: () => watching?.snapshot() ?? nothing,
    subscribe: listener => added(listeners, listener),
    onEvent: listener => added(eventListeners, listener),
    refresh: id => watching?.refresh(id),
    close() {
      closed = true
      listeners.clear()
      eventListeners.clear()
      watching?.close()
    },
  }
}
