/** What can be done with a container that is looked into: the same keys as in the list of containers. */
import type { Action } from './action.ts'

export interface LiveContext {
  /** Whether it may be stopped, started and changed. */
  mayAct(): boolean
  /** Whether the live layer is the one that is looked at. */
  onTop(): boolean
  shell(): Promise<void>
  act(deed: 'stop' | 'restart' | 'pause'): Promise<void>
  /** Whether the live layer's row in the list of layers has the keys. */
  onLayer(): boolean
  commit(): Promise<void>
  exportChanges(): Promise<void>
  /** Whether the tabs show paths of the live layer. */
  ofPaths(): boolean
  follow(): void
}

const scope = 'explorer'

export const liveActions: readonly Action<LiveContext>[] = [
  {
    id: 'live.shell',
    title: 'A shell in the container',
    keys: ['s'],
    scope,
    hint: 'shell',
    worth: 85,
    needs: live => live.mayAct() && live.onTop(),
    run: live => live.shell(),
  },
  {
    id: 'live.stop',
    title: 'Stop the container',
    keys: ['S'],
    scope,
    hint: 'stop',
    worth: 80,
    needs: live => live.mayAct(),
    run: live => live.act('stop'),
  },
  {
    id: 'live.restart',
    title: 'Restart the container, or start it',
    keys: ['r'],
    scope,
    hint: 'restart',
    worth: 74,
    needs: live => live.mayAct(),
    run: live => live.act('restart'),
  },
  {
    id: 'live.pause',
    title: 'Pause the container, or let it go on',
    keys: ['p'],
    scope,
    hint: 'pause',
    worth: 73,
    needs: live => live.mayAct(),
    run: live => live.act('pause'),
  },
  {
    id: 'live.commit',
    title: 'Commit the live layer as an image; in the tree: C',
    keys: ['k'],
    scope,
    hint: 'commit as image…',
    worth: 84,
    needs: live => live.mayAct() && live.onLayer(),
    run: live => live.commit(),
  },
  {
    id: 'live.commit-anywhere',
    title: 'Commit the live layer as an image',
    keys: ['C'],
    scope,
    needs: live => live.mayAct(),
    run: live => live.commit(),
  },
  {
    id: 'live.export',
    title: 'Export the changes: a layer as a tar, or Dockerfile lines; in the tree: E',
    keys: ['e'],
    scope,
    hint: 'export changes…',
    worth: 83,
    needs: live => live.onLayer(),
    run: live => live.exportChanges(),
  },
  {
    id: 'live.export-anywhere',
    title: 'Export the changes: a layer as a tar, or Dockerfile lines',
    keys: ['E'],
    scope,
    run: live => live.exportChanges(),
  },
  {
    id: 'live.follow',
    title: 'Follow: the cursor goes to what has changed last',
    keys: ['f'],
    scope,
    hint: 'follow',
    worth: 82,
    needs: live => live.ofPaths(),
    run: live => live.follow(),
  },
]
