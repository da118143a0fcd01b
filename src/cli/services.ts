/** What the screens reach the world through, on this machine. */
import { readdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import type { ImageLister, ImageRow } from '../actions/image-list.ts'
import { createJournal } from '../actions/journal.ts'
import type { RegistryService } from '../actions/registry-service.ts'
import type { Services } from '../actions/services.ts'
import { containerOf } from '../actions/services.ts'
import type { Work } from '../base/progress.ts'
import { NoImage } from '../source/no-image.ts'
import { openImage } from '../source/open.ts'
import { createContainersService } from './containers-service.ts'
import type { Options } from './program.ts'
import { surroundings } from './surroundings.ts'
import { openOptions } from './target.ts'
import { besideDockerfile } from './written.ts'

export function createServices(options: Options): Services {
  const images = listerOf(options)
  return {
    images,
    registry: registryOf(options, images),
    containers: createContainersService(options),
    open: async (reference, { mayHelp, ...work } = {}) => {
      const container = containerOf(reference)
      if (container !== null) return (await import('./live-service.ts')).openLive(container, options, work)
      try {
        return besideDockerfile(
          await openImage(reference, { ...openOptions(options, mayHelp), ...work, needContent: isFar(reference) }),
          options,
        )
      } catch (error) {
        const meant = await containerInstead(error, reference, options, work)
        if (meant === null) throw error
        const image = await (await import('./live-service.ts')).openLive(containerOf(meant)!, options, work)
        return Object.assign(image, { reference: meant })
      }
    },
    shell: async (image, step, work) => (await import('./shell-service.ts')).readyShell(image, step, work),
    journal: createJournal(Date.now),
    completePath,
    remember: async settings => (await import('./settings.ts')).remember(settings),
    now: () => Date.now(),
  }
}

/** Of a name that no image has. Throws where more than one engine has such a container. */
async function containerInstead(error: unknown, name: string, options: Options, work: Work): Promise<string | null> {
  if (!(error instanceof NoImage)) return null
  return (await import('./meant.ts')).containerNamed(name, options, work)
}

/** Loaded when a registry is first asked for. */
function registryOf(options: Options, images: ImageLister): RegistryService {
  let service: Promise<RegistryService> | null = null
  const known = async () => {
    let rows: readonly ImageRow[] = []
    for await (const listing of images.list(AbortSignal.timeout(2000))) rows = listing.rows
    return rows
  }
  const loaded = () => {
    service ??= import('./registry-service.ts').then(one => one.createRegistryService(options, known))
    return service
  }
  return {
    complete: async text => (await loaded()).complete(text),
    offer: async (name, signal) => (await loaded()).offer(name, signal),
    pull: async (name, how) => (await loaded()).pull(name, how),
  }
}

/** Loaded when the list is first looked at: an archive is on the screen before anything of the engines is read. */
function listerOf(options: Options): ImageLister {
  const { engine, context } = openOptions(options)
  let lister: Promise<ImageLister> | null = null
  const loaded = () => {
    lister ??= import('./image-lister.ts').then(one => one.createLister(surroundings(), { engine, context }))
    return lister
  }
  return {
    async *list(signal) {
      yield* (await loaded()).list(signal)
    },
    detail: async (row, signal) => (await loaded()).detail(row, signal),
  }
}

/** More names than that are no help. */
const most = 1000

/** Names that go on from `text`, as a shell completes them: hidden ones only when asked for. */
async function completePath(text: string): Promise<string[]> {
  const typed = text === '~' ? '~/' : text
  const folder = typed.endsWith('/') ? typed : join(dirname(typed), '/')
  const start = typed.endsWith('/') ? '' : basename(typed)
  const shown = typed.slice(0, typed.length - start.length)
  const entries = await readdir(folder.replace(/^~(?=\/)/, homedir()) || '.', { withFileTypes: true }).catch(() => [])
  return entries
    .filter(entry => entry.name.startsWith(start) && (start !== '' || !entry.name.startsWith('.')))
    .slice(0, most)
    .map(entry => shown + entry.name + (entry.isDirectory() ? '/' : ''))
    .sort()
}

/** Files of it will be looked at: what comes from far is not to come twice. */
function isFar(reference: string): boolean {
  return reference.startsWith('docker://')
}
