/** The containers of this machine's engines as the screens reach them. */
import type { Container } from '../engine/containers.ts'
import type { Watching } from '../engine/watching.ts'

export interface ContainersService {
  /** Watches every engine until it is closed: their containers, their health, what happens on them. */
  watch(): Watching
  /**
   * The best shell of a running container, at the terminal, until it ends; gives its exit status. Rejects with a Fault
   * when there is none.
   */
  shell(engine: string, container: Pick<Container, 'id' | 'name'>): Promise<number>
  /** Writes lines to a new file. Rejects with a Fault; one that is there is not written over. */
  save(path: string, lines: readonly string[]): Promise<void>
  /** Nothing may be started, stopped, changed or removed. */
  readOnly: boolean
}
