/** The containers of this machine's engines as the screens reach them. */
import type { Container, ContainerEngine } from '../engine/containers.ts'
import type { Watching } from '../engine/watching.ts'

export interface ContainersService {
  /** Watches every engine until it is closed: their containers, their health, what happens on them. */
  watch(): Watching
  /**
   * The best shell of a running container, at the terminal, until it ends; gives its exit status. Rejects with a Fault
   * when there is none. The engine is null where nobody named it: it is looked for.
   */
  shell(engine: string | null, container: Pick<Container, 'id' | 'name'>): Promise<number>
  /**
   * Does it with a container by its name, whatever watches; gives the word for what was done. `restart` starts one that
   * does not run, `pause` lets one that is paused go on. Rejects with a Fault.
   */
  act(engine: string | null, name: string, deed: 'stop' | 'restart' | 'pause'): Promise<string>
  /**
   * Reaches a container by its name or id for as long as `run` takes, whatever watches. The engine is null where nobody
   * named it. Rejects with a Fault when it is nowhere.
   */
  reach<T>(engine: string | null, name: string, run: (engine: ContainerEngine, id: string) => Promise<T>): Promise<T>
  /** Writes lines to a new file. Rejects with a Fault; one that is there is not written over. */
  save(path: string, lines: readonly string[]): Promise<void>
  /** Nothing may be started, stopped, changed or removed. */
  readOnly: boolean
}
