/** The containers of this machine's engines as the screens reach them. */
import type { Work } from '../base/progress.ts'
import type { Container, ContainerEngine } from '../engine/containers.ts'
import type { Watching } from '../engine/watching.ts'

/** What is copied, which way. */
export interface Copying {
  out: boolean
  /** Of the container, absolute. */
  inside: string
  /** Of this machine. */
  here: string
  owners: boolean
  /** What a link leads to, in place of the link. */
  followLink: boolean
}

export interface ContainersService {
  /** Watches every engine until it is closed: their containers, their health, what happens on them. */
  watch(): Watching
  /**
   * The best shell of a running container, at the terminal, until it ends; gives its exit status. Rejects with a Fault
   * when there is none. The engine is null where nobody named it: it is looked for.
   */
  shell(engine: string | null, container: Pick<Container, 'id' | 'name'>): Promise<number>
  /** Every engine that answers, to be closed by who asked. */
  engines(signal: AbortSignal): Promise<{ engines: ContainerEngine[]; close(): void }>
  /**
   * A container at the terminal until it ends or is let go, which never ends it; `start` starts it once somebody listens.
   * Gives its exit status, null where it was let go.
   */
  attach(
    engine: string,
    container: Pick<Container, 'id' | 'name'>,
    options?: { start?: boolean },
  ): Promise<number | null>
  /** Copies between a container and this machine, by docker's rules for names. Rejects with a Fault. */
  copy(engine: ContainerEngine, id: string, how: Copying, work: Work): Promise<void>
  /** Names in a directory of a container, directories with a slash. Rejects with a Fault when nobody can tell. */
  namesInside(
    engine: ContainerEngine,
    container: { id: string; name: string; running: boolean },
    path: string,
  ): Promise<string[]>
  /**
   * Reaches a container by its name or id for as long as `run` takes, whatever watches. The engine is null where nobody
   * named it. Rejects with a Fault when it is nowhere.
   */
  reach<T>(engine: string | null, name: string, run: (engine: ContainerEngine, id: string) => Promise<T>): Promise<T>
  /**
   * Writes lines to a file; false: there is one of that name, and nothing was written. `over`: an ordinary file is
   * written over. Rejects with a Fault.
   */
  save(path: string, lines: readonly string[], options?: { over?: boolean }): Promise<boolean>
  /**
   * Writes what a container has changed to a new file, as a tar that is a layer. `asked`: its upper directory can not be
   * read, so the engine was asked for each path. Rejects with a Fault; a file that is there is not written over.
   */
  exportLayer(engine: string | null, name: string, path: string, work: Work): Promise<{ bytes: number; asked: boolean }>
  /** Lines of a Dockerfile that do about the same to its image. Rejects with a Fault. */
  asDockerfile(engine: string | null, name: string, work: Work): Promise<string[]>
  /** Nothing may be started, stopped, changed or removed. */
  readOnly: boolean
}
