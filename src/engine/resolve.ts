/** Bare names and `docker-daemon:NAME`, `podman:NAME`: looked up in every engine that answers. */
import { existsSync } from 'node:fs'
import { Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import { parsePlatform } from '../image/platform.ts'
import type { Reference } from '../image/reference.ts'
import { defaultCacheFolder } from '../source/index-cache.ts'
import type { EngineResolver, OpenOptions } from '../source/open.ts'
import type { Image } from '../source/types.ts'
import type { Surroundings } from './endpoints.ts'
import { type Engine, type EngineFailure, findEngines } from './engine.ts'
import { openEngineImage } from './engine-image.ts'
import { EngineFault } from './fault.ts'

export interface ResolverOptions {
  /** `--host` */
  host?: string | undefined
  /** Whether ssh may ask on the terminal. */
  mayAsk?: boolean | undefined
}

/**
 * What `openImage` asks engines with. The image comes from the first engine that has it, Docker before Podman; the
 * engine is closed with the image. null: no engine has it.
 */
export function engineResolver(around: Surroundings, options: ResolverOptions = {}): EngineResolver {
  return async (reference, open) => {
    const name = nameOf(reference)
    if (name === null) return null
    const engine = reference.kind === 'engine' ? reference.engine : open.engine
    const { signal, context } = open
    const { engines, failures } = await findEngines(around, { ...options, engine, context, signal })
    if (engines.length === 0 && !(reference.kind === 'name' && existsSync(name))) throw nobody(name, engine, failures)
    return firstThatHas(engines, name, reference, open)
  }
}

async function firstThatHas(
  engines: Engine[],
  name: string,
  { text }: Reference,
  open: OpenOptions,
): Promise<Image | null> {
  const { cache, cacheDir, platform } = open
  const cacheFolder = cache === false || cacheDir === null ? null : (cacheDir ?? defaultCacheFolder())
  const options = {
    ...open,
    reference: text,
    cacheFolder,
    platform: typeof platform === 'string' ? parsePlatform(platform) : platform,
  }
  const opened = engines.map(engine => openEngineImage(engine, name, { ...options, onClose: () => engine.close() }))
  const tried = await Promise.allSettled(opened)
  const at = tried.findIndex(one => one.status === 'fulfilled')
  for (const [other, one] of tried.entries()) {
    if (one.status === 'rejected') engines[other].close()
    else if (other !== at) await one.value.close()
  }
  return at < 0 ? none(tried) : opened[at]
}

/** An engine that has no such image says 404; any other failure is worth telling. */
function none(tried: PromiseSettledResult<Image>[]): null {
  for (const one of tried) {
    if (one.status === 'rejected' && !(one.reason instanceof EngineFault && one.reason.status === 404)) throw one.reason
  }
  return null
}

function nobody(name: string, engine: string | undefined, failures: EngineFailure[]): Fault {
  const asked = failures.find(one => one.asked) ?? failures[0]
  if (asked?.asked) return asked.fault
  const which = engine === undefined ? 'Docker nor Podman' : null
  const message = which ? `Neither ${which} answers` : `${safe(engine ?? '')} does not answer`
  const why = asked ? ` ${asked.fault.message}` : ''
  return new Fault(`${message}, so the image “${safe(name)}” can not be looked up.${why}`, {
    hint: asked?.fault.hint ?? '`strata doctor` tells what was looked for; a file is written ./FILE.',
  })
}

function nameOf(reference: Reference): string | null {
  if (reference.kind === 'name') return reference.name.text
  return reference.kind === 'engine' && reference.engine !== 'native' ? reference.name.text : null
}
