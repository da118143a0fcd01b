/** What can be done on the list of images. */
import type { Action } from './action.ts'
import { type Movable, moving } from './moving.ts'

export interface ImagesContext extends Movable {
  /** Whether there is a row under the cursor. */
  hasRow(): boolean
  hasRows(): boolean
  explore(): void
  /** Whether containers may be made. */
  mayRun(): boolean
  /** A new container of the image under the cursor. */
  runImage(): Promise<void>
  filter(): void
  sort(): Promise<void>
  mark(): void
  copy(): void
  openArchive(): void
  openSample(): void
  pull(): void
  refresh(): void
}

export const imagesActions: readonly Action<ImagesContext>[] = [
  {
    id: 'images.explore',
    title: 'Explore its layers',
    keys: ['enter', 'right', 'l'],
    scope: 'images',
    hint: 'explore',
    worth: 90,
    needs: images => images.hasRow(),
    run: images => images.explore(),
  },
  {
    id: 'images.run',
    title: 'Run it: a new container, after asking how',
    keys: ['r'],
    scope: 'images',
    hint: 'run…',
    worth: 72,
    needs: images => images.hasRow() && images.mayRun(),
    run: images => images.runImage(),
  },
  {
    id: 'images.archive',
    title: 'Open an archive or a directory',
    keys: ['a'],
    scope: 'images',
    hint: 'archive',
    worth: 60,
    run: images => images.openArchive(),
  },
  {
    id: 'images.sample',
    title: 'Open the built-in sample',
    keys: ['b'],
    scope: 'images',
    hint: 'sample',
    worth: 30,
    run: images => images.openSample(),
  },
  {
    id: 'images.pull',
    title: 'Look at an image in a registry, or pull it',
    keys: ['p'],
    scope: 'images',
    hint: 'pull',
    worth: 65,
    run: images => images.pull(),
  },
  {
    id: 'images.mark',
    title: 'Mark or unmark',
    keys: ['space'],
    scope: 'images',
    hint: 'mark',
    worth: 35,
    needs: images => images.hasRow(),
    run: images => images.mark(),
  },
  {
    id: 'images.copy',
    title: 'Copy the names of what is marked, or of this one',
    keys: ['y'],
    scope: 'images',
    hint: 'copy',
    worth: 35,
    needs: images => images.hasRow(),
    run: images => images.copy(),
  },
  {
    id: 'images.filter',
    title: 'Show only what contains some text',
    keys: ['/'],
    scope: 'images',
    hint: 'filter',
    worth: 80,
    needs: images => images.hasRows(),
    run: images => images.filter(),
  },
  {
    id: 'images.sort',
    title: 'Sort by name, age, size …',
    keys: ['o'],
    scope: 'images',
    hint: 'sort',
    worth: 50,
    needs: images => images.hasRow(),
    run: images => images.sort(),
  },
  {
    id: 'images.refresh',
    title: 'Ask the engines again',
    keys: ['ctrl-r', 'f5'],
    scope: 'images',
    run: images => images.refresh(),
  },
  ...moving<ImagesContext>('images'),
]
