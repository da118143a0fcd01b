/**
 * What the screens reach the world through. The program fills this in; tests hand in their own, so that every screen
 * runs without an engine, a file or a clock.
 */
import type { Work } from '../base/progress.ts'
import type { MayHelp } from '../source/open.ts'
import type { Image } from '../source/types.ts'
import type { ContainersService } from './containers-service.ts'
import type { ImageLister } from './image-list.ts'
import type { Journal } from './journal.ts'
import type { RegistryService } from './registry-service.ts'
import type { Settings } from './settings.ts'

export interface OpenWork extends Work {
  /** Asked where an engine would make a helper container for it, unless the person has answered that already. */
  mayHelp?: MayHelp
}

/** How a container is written where an image may stand: `container:NAME`, `container:ENGINE/NAME`. */
const CONTAINER = 'container:'

/** The container that a reference names; null: it names an image. */
export function containerOf(reference: string): { engine: string | null; name: string } | null {
  if (!reference.startsWith(CONTAINER)) return null
  const name = reference.slice(CONTAINER.length)
  const slash = name.lastIndexOf('/')
  return slash < 0 ? { engine: null, name } : { engine: name.slice(0, slash), name: name.slice(slash + 1) }
}

/** The reference of a container of an engine. */
export function containerReference(engine: string, name: string): string {
  return `${CONTAINER}${engine}/${name}`
}

/** A shell that only waits for the terminal. */
export interface ReadyShell {
  /** Takes the terminal until the shell has ended; gives its exit status. Rejects with a Fault. */
  run(): Promise<number>
  /** To be called whether it ran or not. */
  release(): Promise<void>
}

export interface Services {
  /** The images of this machine. */
  images: ImageLister
  /** Images that are not of this machine. */
  registry: RegistryService
  /** The containers of this machine. */
  containers: ContainersService
  /** Opens an image by reference as the person wrote it (`NAME@STEP` too). Rejects with a Fault. */
  open(reference: string, work?: OpenWork): Promise<Image>
  /** A shell in an image as of a step (1-based): unpacks what is missing. Rejects with a Fault. */
  shell(image: Image, step: number, work: Work): Promise<ReadyShell>
  /** What was done through the screens. */
  journal: Journal
  /** Names that go on from what was typed, for a path: files and directories, directories with a slash at the end. */
  completePath(text: string): Promise<string[]>
  /** Keeps an answer for the runs to come. Rejects with a Fault. */
  remember(settings: Settings): Promise<void>
  /** Milliseconds since 1970; tests freeze it. */
  now(): number
}
