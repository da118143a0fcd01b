/** What can be done with a container that is looked into: the same keys as in the list of containers. */
import type { Action } from './action.ts'

export interface LiveContext {
  /** Whether it may be stopped, started and changed. */
  mayAct(): boolean
  /** Whether the live layer is the one that is looked at. */
  onTop(): boolean
  shell(): Promise<void>
  act(deed: 'stop' | 'restart' | 'pause'): Promise<void>
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
    worth: 60,
    needs: live => live.mayAct(),
    run: live => live.act('stop'),
  },
  {
    id: 'live.restart',
    title: 'Restart the container, or start it',
    keys: ['r'],
    scope,
    hint: 'restart',
    worth: 55,
    needs: live => live.mayAct(),
    run: live => live.act('restart'),
  },
  {
    id: 'live.pause',
    title: 'Pause the container, or let it go on',
    keys: ['p'],
    scope,
    hint: 'pause',
    worth: 52,
    needs: live => live.mayAct(),
    run: live => live.act('pause'),
  },
]
