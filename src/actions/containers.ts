/** What can be done on the list of containers. Whatever acts, acts on the marked rows, or else on the one under the cursor. */
import type { Action } from './action.ts'
import { type Movable, moving } from './moving.ts'

/** What is done with containers by their engine. */
export type Deed = 'start' | 'stop' | 'restart' | 'kill' | 'pause' | 'unpause' | 'remove'

export interface ContainersContext extends Movable {
  /** Whether there is a row under the cursor. */
  hasRow(): boolean
  hasRows(): boolean
  /** Whether there is a row that this can be done with: its state allows it, its engine is there, and may be changed. */
  can(deed: Deed): boolean
  act(deed: Deed): Promise<void>
  /** Asks for the signal first. */
  kill(): Promise<void>
  /** Whether the container under the cursor runs, on an engine that is there. */
  runs(): boolean
  shell(): Promise<void>
  mayMake(): boolean
  /** Asks for an image and the rest. */
  make(): Promise<void>
  mayCommit(): boolean
  commit(): Promise<void>
  /** Whether its processes can be listed. */
  lists(): boolean
  processes(): void
  mayCopy(): boolean
  /** Asks which way, from where and to where. */
  copyFiles(): Promise<void>
  mayAttach(): boolean
  attach(): Promise<void>
  canRename(): boolean
  rename(): void
  explore(): void
  inspect(): Promise<void>
  logs(): void
  copy(): void
  filter(): void
  sort(): Promise<void>
  mark(): void
  /** CPU and memory: shown, or neither shown nor asked for. */
  toggleUsage(): void
  /** Running ones only, or all. */
  toggleAll(): void
  refresh(): void
}

const scope = 'containers'

export const containersActions: readonly Action<ContainersContext>[] = [
  {
    id: 'containers.explore',
    title: 'Explore its layers, the live one on top',
    keys: ['enter', 'right'],
    scope,
    hint: 'explore',
    worth: 90,
    needs: containers => containers.hasRow(),
    run: containers => containers.explore(),
  },
  {
    id: 'containers.shell',
    title: 'A shell in it',
    keys: ['s'],
    scope,
    hint: 'shell',
    worth: 85,
    needs: containers => containers.runs(),
    run: containers => containers.shell(),
  },
  {
    id: 'containers.logs',
    title: 'What it says, on the whole screen; what all marked ones say, by time',
    keys: ['l'],
    scope,
    hint: 'logs',
    worth: 80,
    needs: containers => containers.hasRow(),
    run: containers => containers.logs(),
  },
  {
    id: 'containers.start',
    title: 'Start',
    keys: ['r'],
    scope,
    hint: 'start',
    worth: 75,
    needs: containers => containers.can('start'),
    run: containers => containers.act('start'),
  },
  {
    id: 'containers.restart',
    title: 'Restart',
    keys: ['r'],
    scope,
    hint: 'restart',
    worth: 60,
    needs: containers => !containers.can('start') && containers.can('restart'),
    run: containers => containers.act('restart'),
  },
  {
    id: 'containers.stop',
    title: 'Stop',
    keys: ['S'],
    scope,
    hint: 'stop',
    worth: 75,
    needs: containers => containers.can('stop'),
    run: containers => containers.act('stop'),
  },
  {
    id: 'containers.unpause',
    title: 'Let it go on',
    keys: ['p'],
    scope,
    hint: 'unpause',
    worth: 55,
    needs: containers => containers.can('unpause'),
    run: containers => containers.act('unpause'),
  },
  {
    id: 'containers.pause',
    title: 'Pause',
    keys: ['p'],
    scope,
    hint: 'pause',
    worth: 45,
    needs: containers => !containers.can('unpause') && containers.can('pause'),
    run: containers => containers.act('pause'),
  },
  {
    id: 'containers.kill',
    title: 'Kill: a signal of your choice',
    keys: ['K'],
    scope,
    danger: true,
    needs: containers => containers.can('kill'),
    run: containers => containers.kill(),
  },
  {
    id: 'containers.remove',
    title: 'Remove, after a question',
    keys: ['D', 'delete'],
    scope,
    hint: 'remove…',
    worth: 50,
    danger: true,
    needs: containers => containers.can('remove'),
    run: containers => containers.act('remove'),
  },
  {
    id: 'containers.new',
    title: 'A new container: of which image, and how',
    keys: ['n'],
    scope,
    hint: 'new…',
    worth: 52,
    needs: containers => containers.mayMake(),
    run: containers => containers.make(),
  },
  {
    id: 'containers.attach',
    title: 'Attach to it; leaving never ends it',
    keys: ['A'],
    scope,
    hint: 'attach',
    worth: 42,
    needs: containers => containers.mayAttach(),
    run: containers => containers.attach(),
  },
  {
    id: 'containers.commit',
    title: 'Commit: an image of what it has made of its own',
    keys: ['C'],
    scope,
    hint: 'commit…',
    worth: 44,
    needs: containers => containers.mayCommit(),
    run: containers => containers.commit(),
  },
  {
    id: 'containers.processes',
    title: 'Top: its processes, and signals to them',
    keys: ['t'],
    scope,
    hint: 'top',
    worth: 46,
    needs: containers => containers.lists(),
    run: containers => containers.processes(),
  },
  {
    id: 'containers.copy-files',
    title: 'Copy files out of it, or into it',
    keys: ['c'],
    scope,
    hint: 'copy files…',
    worth: 40,
    needs: containers => containers.mayCopy(),
    run: containers => containers.copyFiles(),
  },
  {
    id: 'containers.rename',
    title: 'Rename',
    keys: ['R'],
    scope,
    needs: containers => containers.canRename(),
    run: containers => containers.rename(),
  },
  {
    id: 'containers.inspect',
    title: 'All that its engine says of it, secrets masked',
    keys: ['i'],
    scope,
    hint: 'inspect',
    worth: 48,
    needs: containers => containers.hasRow(),
    run: containers => containers.inspect(),
  },
  {
    id: 'containers.mark',
    title: 'Mark or unmark',
    keys: ['space'],
    scope,
    hint: 'mark',
    worth: 35,
    needs: containers => containers.hasRow(),
    run: containers => containers.mark(),
  },
  {
    id: 'containers.copy',
    title: 'Copy the names of what is marked, or of this one',
    keys: ['y'],
    scope,
    worth: 30,
    needs: containers => containers.hasRow(),
    run: containers => containers.copy(),
  },
  {
    id: 'containers.all',
    title: 'All of them, or only those that run',
    keys: ['a'],
    scope,
    hint: 'all/running',
    worth: 32,
    run: containers => containers.toggleAll(),
  },
  {
    id: 'containers.usage',
    title: 'CPU and memory: shown, or not asked for',
    keys: ['u'],
    scope,
    run: containers => containers.toggleUsage(),
  },
  {
    id: 'containers.filter',
    title: 'Show only what contains some text',
    keys: ['/'],
    scope,
    hint: 'filter',
    worth: 70,
    needs: containers => containers.hasRows(),
    run: containers => containers.filter(),
  },
  {
    id: 'containers.sort',
    title: 'Sort by any column',
    keys: ['o'],
    scope,
    hint: 'sort',
    worth: 34,
    needs: containers => containers.hasRow(),
    run: containers => containers.sort(),
  },
  {
    id: 'containers.refresh',
    title: 'Ask the engines again',
    keys: ['ctrl-r', 'f5'],
    scope,
    run: containers => containers.refresh(),
  },
  ...moving<ContainersContext>(scope),
]
