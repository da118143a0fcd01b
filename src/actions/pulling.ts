/** What can be done while an image is pulled. */
import type { Action } from './action.ts'

export interface PullingContext {
  cancel(): void
}

export const pullingActions: readonly Action<PullingContext>[] = [
  {
    id: 'pulling.cancel',
    title: 'Cancel the pull; the next one goes on from there',
    keys: ['esc'],
    scope: 'pulling',
    hint: 'cancel',
    worth: 95,
    run: pulling => pulling.cancel(),
  },
]
