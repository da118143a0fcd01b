/** What can be done on the processes of a container. */
import type { Action } from './action.ts'
import { type Movable, moving } from './moving.ts'

export interface ProcessesContext extends Movable {
  hasRow(): boolean
  /** Whether signals may be sent. */
  maySignal(): boolean
  signal(): Promise<void>
  sortBy(by: 'cpu' | 'memory' | 'number' | 'time'): void
  copy(): void
  refresh(): void
}

const scope = 'processes'

export const processesActions: readonly Action<ProcessesContext>[] = [
  {
    id: 'processes.signal',
    title: 'A signal to this process',
    keys: ['K'],
    scope,
    hint: 'signal…',
    worth: 80,
    danger: true,
    needs: processes => processes.hasRow() && processes.maySignal(),
    run: processes => processes.signal(),
  },
  {
    id: 'processes.by-cpu',
    title: 'The busiest first',
    keys: ['c'],
    scope,
    hint: 'by cpu',
    worth: 60,
    run: processes => processes.sortBy('cpu'),
  },
  {
    id: 'processes.by-memory',
    title: 'The largest first',
    keys: ['m'],
    scope,
    hint: 'by memory',
    worth: 59,
    run: processes => processes.sortBy('memory'),
  },
  {
    id: 'processes.by-time',
    title: 'Those first that have worked most',
    keys: ['t'],
    scope,
    hint: 'by time',
    worth: 40,
    run: processes => processes.sortBy('time'),
  },
  {
    id: 'processes.by-number',
    title: 'In the order of their numbers',
    keys: ['n'],
    scope,
    hint: 'by number',
    worth: 39,
    run: processes => processes.sortBy('number'),
  },
  {
    id: 'processes.copy',
    title: 'Copy the command',
    keys: ['y'],
    scope,
    hint: 'copy',
    worth: 30,
    needs: processes => processes.hasRow(),
    run: processes => processes.copy(),
  },
  {
    id: 'processes.refresh',
    title: 'Look again',
    keys: ['ctrl-r', 'f5'],
    scope,
    run: processes => processes.refresh(),
  },
  ...moving<ProcessesContext>(scope),
]
