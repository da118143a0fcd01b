/** Placeholder until the list is there. */
import type { Screen } from '../screen.ts'
import type { Ui } from '../ui.ts'
export function createImages(_ui: Ui): Screen {
  return {
    id: 'images',
    title: () => 'Images',
    scopes: () => ['images'],
    actions: [],
    draw: () => [],
    subscribe: () => () => {},
  }
}
