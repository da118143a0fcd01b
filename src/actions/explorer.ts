/** What can be done in the Explorer, and in the screens that it opens. */
import type { Action } from './action.ts'
import { type Movable, moving } from './moving.ts'

export type Pane =
  | 'layers'
  | 'tree'
  | 'changes'
  | 'waste'
  | 'config'
  | 'dockerfile'
  | 'hot'
  | 'logs'
  | 'stats'
  | 'processes'

/** The Explorer as its actions see it. */
export interface ExplorerContext extends Movable {
  /** The pane that has the keys. */
  pane(): Pane
  /** Whether something is there to look at. */
  ready(): boolean
  /** The kind of what the cursor stands on, null where there is no path. */
  thing(): 'file' | 'dir' | 'link' | 'other' | null
  switchPane(): void
  showTab(pane: Pane): void
  turnTab(by: 1 | -1): void
  /** To the next step that has a row; the pane keeps the keys. */
  turnStep(by: 1 | -1): void
  /** To the next match of the filter, or to the next change. */
  jump(by: 1 | -1): void
  open(): void
  into(): void
  out(): void
  fold(): void
  foldAll(rest: 'open' | 'closed' | 'auto'): void
  view(): void
  blame(): void
  extract(): void
  /** Whether the file under the cursor has a version before. */
  hasBefore(): boolean
  compare(): void
  copy(): void
  copyOther(): Promise<void>
  filter(): void
  find(): void
  sort(by: 1 | -1): void
  onlyChanges(): void
  markFrom(): void
  markTo(): void
  stepsWithoutLayer(): void
  details(): void
  /** Bytes that were not read to compare contents, because they are many. */
  uncompared(): number
  compareAll(): void
  /** Reading was cancelled: it can go on. */
  stopped(): boolean
  shell(): Promise<void>
  /** Whether the layer on top is a container's. */
  alive(): boolean
  /** Whether the live layer is the step under the cursor: it is no step of an image. */
  onLive(): boolean
  readOn(): void
  /** Whether containers may be made of it. */
  mayRun(): boolean
  runImage(): Promise<void>
}

const onPath = (context: ExplorerContext) => context.thing() !== null
const onFile = (context: ExplorerContext) => context.thing() === 'file' || context.thing() === 'link'
const inTree = 'explorer.tree'
const ready = (context: ExplorerContext) => context.ready()
const inPanes =
  (...panes: Pane[]) =>
  (context: ExplorerContext) =>
    context.ready() && panes.includes(context.pane())

const imageTabs: readonly (readonly [Pane, string])[] = [
  ['tree', 'Tab: Tree'],
  ['changes', 'Tab: Changes'],
  ['waste', 'Tab: Waste'],
  ['config', 'Tab: Config'],
  ['dockerfile', 'Tab: Dockerfile'],
]

/** Of a container, after Tree and Changes. */
const containerTabs: readonly (readonly [Pane, string])[] = [
  ['hot', 'Tab: Hot, where the container writes, and the option that takes it elsewhere'],
  ['logs', 'Tab: Logs, what the container says'],
  ['stats', 'Tab: Stats, what it uses'],
  ['processes', 'Tab: Processes, what runs in it'],
  ['config', 'Tab: Config, of the container or of the step'],
]

function tabAction(
  pane: Pane,
  title: string,
  at: number,
  needs: (context: ExplorerContext) => boolean,
  prefix = 'explorer.',
): Action<ExplorerContext> {
  return {
    id: `${prefix}${pane}`,
    title,
    keys: [String(at + 1)],
    scope: 'explorer',
    needs,
    run: context => context.showTab(pane),
  }
}

export const explorerActions: readonly Action<ExplorerContext>[] = [
  {
    id: 'explorer.open',
    title: 'Open: fold a directory, view a file, follow a link, show a step',
    keys: ['enter'],
    scope: 'explorer',
    hint: 'open',
    worth: 95,
    needs: ready,
    run: context => context.open(),
  },
  {
    id: 'explorer.shell',
    title: 'A shell in the image as of this step; what is changed there is gone afterwards',
    keys: ['s'],
    scope: 'explorer',
    hint: 'shell',
    worth: 88,
    needs: context => ready(context) && !context.onLive(),
    run: context => context.shell(),
  },
  {
    id: 'explorer.view',
    title: 'View the file as of this step',
    keys: ['v'],
    scope: 'explorer',
    hint: 'view',
    worth: 80,
    needs: onFile,
    run: context => context.view(),
  },
  {
    id: 'explorer.versions',
    title: 'Side by side: the version before and this one',
    keys: ['D'],
    scope: 'explorer',
    hint: 'side by side',
    worth: 72,
    needs: context => onFile(context) && context.hasBefore(),
    run: context => context.compare(),
  },
  {
    id: 'explorer.blame',
    title: 'Blame: every step that touched this path, with the difference',
    keys: ['b'],
    scope: 'explorer',
    hint: 'blame',
    worth: 75,
    needs: onPath,
    run: context => context.blame(),
  },
  {
    id: 'explorer.only-changes',
    title: 'Show only what changed, or everything',
    keys: ['a'],
    scope: 'explorer',
    hint: 'only changes',
    worth: 85,
    needs: inPanes('layers', 'tree'),
    run: context => context.onlyChanges(),
  },
  {
    id: 'explorer.filter',
    title: 'Filter by name, path, glob, /regex/, size>1M, type:link, change:A, owner:app, step:5',
    keys: ['/'],
    scope: 'explorer',
    hint: 'filter',
    worth: 90,
    needs: ready,
    run: context => context.filter(),
  },
  {
    id: 'explorer.find',
    title: 'Find a path in all layers',
    keys: ['F'],
    scope: 'explorer',
    hint: 'find in all layers',
    worth: 60,
    needs: ready,
    run: context => context.find(),
  },
  {
    id: 'explorer.range-from',
    title: 'Mark where a range of steps begins, or forget it',
    keys: ['['],
    scope: 'explorer',
    hint: 'range from',
    worth: 58,
    needs: ready,
    run: context => context.markFrom(),
  },
  {
    id: 'explorer.range-to',
    title: 'Mark where the range of steps ends; without a beginning it begins above the base layer',
    keys: [']'],
    scope: 'explorer',
    hint: 'to',
    worth: 57,
    needs: ready,
    run: context => context.markTo(),
  },
  {
    id: 'explorer.sort',
    title: 'Sort by name, size, change, time; of a live layer by rate and growth too',
    keys: ['t'],
    scope: 'explorer',
    hint: 'sort',
    worth: 65,
    needs: inPanes('tree', 'changes', 'waste'),
    run: context => context.sort(1),
  },
  {
    id: 'explorer.sort-back',
    title: 'Sort by the one before',
    keys: ['T'],
    scope: 'explorer',
    needs: inPanes('tree', 'changes', 'waste'),
    run: context => context.sort(-1),
  },
  {
    id: 'explorer.next',
    title: 'To the next change, or to the next match of the filter',
    keys: ['n'],
    scope: 'explorer',
    hint: 'next change',
    worth: 70,
    needs: inPanes('layers', 'tree'),
    run: context => context.jump(1),
  },
  {
    id: 'explorer.previous',
    title: 'To the change or match before',
    keys: ['N', 'p'],
    scope: 'explorer',
    needs: inPanes('layers', 'tree'),
    run: context => context.jump(-1),
  },
  {
    id: 'explorer.extract',
    title: 'Extract the file or directory to a place on this machine',
    keys: ['e'],
    scope: 'explorer',
    hint: 'extract',
    worth: 55,
    needs: onPath,
    run: context => context.extract(),
  },
  {
    id: 'explorer.copy',
    title: 'Copy the path, the command or the value under the cursor',
    keys: ['y'],
    scope: 'explorer',
    hint: 'copy',
    worth: 50,
    run: context => context.copy(),
  },
  {
    id: 'explorer.copy-other',
    title: 'Choose what to copy: path, command, digests, values',
    keys: ['Y'],
    scope: 'explorer',
    run: context => context.copyOther(),
  },
  {
    id: 'explorer.details',
    title: 'Everything about this step: command, digests, oddities, advice',
    keys: ['d'],
    scope: 'explorer',
    hint: 'details',
    worth: 52,
    run: context => context.details(),
  },
  {
    id: 'explorer.pane',
    title: 'The other pane',
    keys: ['tab', 'shift-tab'],
    scope: 'explorer',
    hint: 'pane',
    worth: 93,
    run: context => context.switchPane(),
  },
  ...imageTabs.map(([pane, title], at) => tabAction(pane, title, at, context => !context.alive() || at < 2)),
  ...containerTabs.map(([pane, title], at) =>
    tabAction(pane, title, at + 2, context => context.alive(), 'explorer.container-'),
  ),
  {
    id: 'explorer.tab-next',
    title: 'The next tab',
    keys: ['right', 'l'],
    scope: 'explorer',
    needs: context => context.pane() !== 'tree',
    run: context => context.turnTab(1),
  },
  {
    id: 'explorer.tab-previous',
    title: 'The tab before',
    keys: ['left', 'h'],
    scope: 'explorer',
    needs: context => context.pane() !== 'tree',
    run: context => context.turnTab(-1),
  },
  {
    id: 'explorer.step-next',
    title: 'The next step, from any pane',
    keys: ['J', 'shift-down'],
    scope: 'explorer',
    run: context => context.turnStep(1),
  },
  {
    id: 'explorer.step-previous',
    title: 'The step before, from any pane',
    keys: ['K', 'shift-up'],
    scope: 'explorer',
    run: context => context.turnStep(-1),
  },
  {
    id: 'explorer.empty-steps',
    title: 'Hide or show steps without a layer',
    keys: ['.'],
    scope: 'explorer',
    run: context => context.stepsWithoutLayer(),
  },
  {
    id: 'explorer.read-on',
    title: 'Read the layers that were cancelled',
    keys: ['r'],
    scope: 'explorer',
    hint: 'read on',
    worth: 98,
    needs: context => context.stopped(),
    run: context => context.readOn(),
  },
  {
    id: 'explorer.run',
    title: 'Run it: a new container of this image, after asking how',
    keys: ['r'],
    scope: 'explorer',
    hint: 'run…',
    worth: 46,
    needs: context => ready(context) && context.mayRun(),
    run: context => context.runImage(),
  },
  {
    id: 'explorer.compare',
    title: 'Compare the contents of files that look the same',
    keys: ['c'],
    scope: 'explorer',
    hint: 'compare contents',
    worth: 54,
    needs: context => context.uncompared() > 0,
    run: context => context.compareAll(),
  },
  ...moving<ExplorerContext>('explorer'),
  {
    id: 'explorer.tree.into',
    title: 'Open the directory, or go into it',
    keys: ['right', 'l'],
    scope: inTree,
    needs: ready,
    run: context => context.into(),
  },
  {
    id: 'explorer.tree.out',
    title: 'Close the directory, or go out of it',
    keys: ['left', 'h'],
    scope: inTree,
    needs: ready,
    run: context => context.out(),
  },
  {
    id: 'explorer.tree.fold',
    title: 'Fold or unfold the directory',
    keys: ['space'],
    scope: inTree,
    hint: 'fold',
    worth: 45,
    needs: ready,
    run: context => context.fold(),
  },
  {
    id: 'explorer.tree.close-all',
    title: 'Fold all directories',
    keys: ['-'],
    scope: inTree,
    needs: ready,
    run: context => context.foldAll('closed'),
  },
  {
    id: 'explorer.tree.open-all',
    title: 'Unfold all directories',
    keys: ['+'],
    scope: inTree,
    needs: ready,
    run: context => context.foldAll('open'),
  },
  {
    id: 'explorer.tree.auto',
    title: 'Let directories open by themselves where the step changed something',
    keys: ['='],
    scope: inTree,
    needs: ready,
    run: context => context.foldAll('auto'),
  },
]
