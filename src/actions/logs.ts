/** What can be done with what containers say. */
import type { Action } from './action.ts'
import { type TextContext, textActions } from './text.ts'

export interface LogsContext extends TextContext {
  follow(): void
  /** Which lines are shown at all. */
  filter(): void
  filtered(): boolean
  /** More or fewer lines around those that the filter finds. */
  around(by: 1 | -1): void
  /** From where on: so many lines, since when. */
  range(): Promise<void>
  nextTimes(): void
  togglePretty(): void
  toggleColours(): void
  /** The line under the cursor, whole; JSON a value a line. */
  open(): void
}

const scope = 'logs'

export const logsActions: readonly Action<LogsContext>[] = [
  {
    id: 'logs.follow',
    title: 'Follow, or stay here',
    keys: ['f'],
    scope,
    hint: 'follow',
    worth: 85,
    run: logs => logs.follow(),
  },
  {
    id: 'logs.filter',
    title: 'Only lines with some text; with ! in front, those without it',
    keys: ['&'],
    scope,
    hint: 'filter',
    worth: 78,
    run: logs => logs.filter(),
  },
  {
    id: 'logs.more',
    title: 'A line more around each that the filter finds',
    keys: ['+'],
    scope,
    hint: 'more around',
    worth: 72,
    needs: logs => logs.filtered(),
    run: logs => logs.around(1),
  },
  {
    id: 'logs.less',
    title: 'A line less around each',
    keys: ['-'],
    scope,
    needs: logs => logs.filtered(),
    run: logs => logs.around(-1),
  },
  {
    id: 'logs.range',
    title: 'From where on: the last 100, 1 000, all lines; since 5 min, 1 h, 24 h, any time',
    keys: ['r'],
    scope,
    hint: 'range',
    worth: 70,
    run: logs => logs.range(),
  },
  {
    id: 'logs.times',
    title: 'Times: none, local, UTC, how long ago',
    keys: ['t'],
    scope,
    hint: 'times',
    worth: 60,
    run: logs => logs.nextTimes(),
  },
  {
    id: 'logs.pretty',
    title: 'JSON as level, time, message and key=value, or as it was said',
    keys: ['p'],
    scope,
    hint: 'JSON',
    worth: 52,
    run: logs => logs.togglePretty(),
  },
  {
    id: 'logs.open',
    title: 'All of a line, JSON a value a line',
    keys: ['enter'],
    scope,
    hint: 'open line',
    worth: 58,
    run: logs => logs.open(),
  },
  {
    id: 'logs.colours',
    title: 'With the colours that it was said in, or without',
    keys: ['c'],
    scope,
    run: logs => logs.toggleColours(),
  },
  ...textActions<LogsContext>(scope),
]
