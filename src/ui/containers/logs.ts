/** What containers say, on the whole screen: the past and what comes, of one or of several by time. */
import { bind } from '../../actions/action.ts'
import { type LogsContext, logsActions } from '../../actions/logs.ts'
import { formatCount } from '../../base/sizes.ts'
import { safe } from '../../base/text.ts'
import type { Screen } from '../screen.ts'
import type { Theme } from '../theme.ts'
import type { Ui } from '../ui.ts'
import { frame } from '../widgets/frame.ts'
import { line, type Part } from '../widgets/line.ts'
import { createFilter, type LogFilter } from './log-filter.ts'
import { openedJson, prettyJson } from './log-json.ts'
import { namesOf } from './log-names.ts'
import { askRange, type LogRange, usualRange } from './log-range.ts'
import type { LogTarget } from './log-source.ts'
import { fullStamp, stampColumns, stampOf, type TimeMode, timeModes, timeWords } from './log-times.ts'
import { tailState } from './panel.ts'
import { followLogs, type Tail, type TailLine } from './tail.ts'
import { textContext } from './text-context.ts'
import { createTextView, type Lines, linesWith, type ViewLine } from './text-view.ts'

/** Lines that are kept. */
const MOST = 50_000
/** Lines around those that a filter finds, at most. */
const MOST_AROUND = 50

type Line = TailLine & ViewLine

/** The screen, and what another one needs that shows it as one of its tabs. */
export interface LogsScreen extends Screen {
  /** What stands in its frame: exactly `rows` lines of `columns`. */
  inside(theme: Theme, columns: number, rows: number): string[]
  /** `1 204 lines · following` */
  place(): string
  move: LogsContext['move']
}

/** The screen; it reads while it is open. */
export function createLogs(ui: Ui, targets: readonly LogTarget[]): LogsScreen {
  const listeners = new Set<() => void>()
  const changed = () => {
    for (const listener of listeners) listener()
  }
  const names = namesOf(targets.map(target => target.name))
  let range: LogRange = usualRange
  let times: TimeMode = 'off'
  let pretty = true
  let colours = true
  let filter: { wish: string; around: number; lines: LogFilter<Line> } | null = null
  /** What is shown of JSON is found as it is shown. */
  const also = (text: string) => (pretty ? (prettyJson(text, times, ui.services.now())?.text ?? null) : null)
  const filterOf = (wish: string, around: number) => createFilter<Line>(log, wish, around, also)
  const begin = (): Tail => followLogs({ targets, begin: range.begin, most: MOST, changed })
  let log = begin()

  const shown = (): Lines<Line> => filter?.lines ?? log
  const lines: Lines<Line> = { first: () => shown().first(), end: () => shown().end(), line: at => shown().line(at) }
  const view = createTextView(lines, {
    grows: true,
    head: {
      columns: columns => stampColumns(times) + names.columns(columns),
      parts: (theme, one, columns) => [
        ...(times === 'off' ? [] : ([[theme.dim, stampOf(one.time, times, ui.services.now())]] as Part[])),
        ...names.parts(theme, one.source, columns),
      ],
    },
    show: one => {
      const nice = pretty ? prettyJson(one.text, times, ui.services.now()) : null
      const said = nice ?? one
      return colours ? said : { text: said.text, looks: '' }
    },
    opened: one => openedJson(one.text),
    marked: () => (filter && !filter.wish.startsWith('!') ? filter.wish : ''),
    also,
  })
  /** A line as a file has it. */
  const written = ({ time, source, text }: Line) =>
    (times === 'off' ? '' : fullStamp(time)) + (targets.length > 1 ? `${names.full(source)} ` : '') + text
  const all = () => {
    const texts: string[] = []
    const numbers = filter?.lines.numbers() ?? counted(log.first(), log.end())
    for (const number of numbers) texts.push(written(log.line(number)!))
    return texts
  }
  /** Other lines are shown: the window stays at what it shows. */
  const filterBy = (wish: string, around: number) => {
    const here = lines.line(view.current() ?? view.top())?.number ?? log.end()
    const following = view.following()
    filter = wish === '' ? null : { wish, around, lines: filterOf(wish, around) }
    view.reset(following ? null : (filter?.lines.placeOf(here) ?? here))
    changed()
  }
  const text = textContext(ui, {
    view,
    all,
    fileName: targets.length === 1 ? `${targets[0]!.name}.log` : 'containers.log',
    what: 'lines',
  })
  const context: LogsContext = {
    ...text,
    follow() {
      view.follow(!view.following())
      ui.changed()
    },
    filter() {
      const { wish, around } = filter ?? { wish: '', around: 0 }
      ui.prompt({
        label: 'only lines with',
        text: wish,
        pass: true,
        change: text => filterBy(text, around),
        submit: text => filterBy(text, around),
        cancel: () => filterBy('', 0),
        status: () => (filter ? `${formatCount(filter.lines.matches())} lines` : ''),
      })
    },
    filtered: () => filter !== null,
    around(by) {
      if (!filter) return
      const around = Math.max(0, Math.min(MOST_AROUND, filter.around + by))
      filterBy(filter.wish, around)
    },
    async range() {
      const asked = await askRange(ui, range)
      if (!asked) return
      range = asked
      log.stop()
      log = begin()
      if (filter) filter.lines = filterOf(filter.wish, filter.around)
      view.reset(null)
      changed()
    },
    nextTimes() {
      times = timeModes[(timeModes.indexOf(times) + 1) % timeModes.length]!
      ui.toast(timeWords[times])
    },
    togglePretty() {
      pretty = !pretty
      ui.toast(pretty ? 'JSON as level, time, message, key=value.' : 'JSON as it was said.')
    },
    toggleColours() {
      colours = !colours
      ui.changed()
    },
    open() {
      view.toggleOpen()
      ui.changed()
    },
  }

  const title = (theme: Theme): Part[] => [
    [theme.title, 'Logs'],
    ...(filter
      ? ([
          [theme.dim, '  with '],
          [theme.match, safe(filter.wish)],
          [theme.dim, filter.around > 0 ? ` and ${filter.around} around` : ''],
        ] as Part[])
      : []),
    [theme.dim, `  ${safe(range.label)}`],
  ]
  const nothing = (): string => {
    const state = log.state()
    if (log.end() > log.first()) return filter ? 'No line has it yet.' : ''
    if (state === 'reading') return ''
    return typeof state === 'object'
      ? state.trouble
      : `${targets.length > 1 ? 'They have' : 'It has'} said nothing yet.`
  }
  const inside = (theme: Theme, columns: number, rows: number) => {
    const drawn = view.draw(theme, columns, rows)
    if (lines.end() === lines.first() && drawn.length > 0) drawn[0] = line(columns, [[theme.dim, ` ${nothing()}`]])
    return drawn
  }
  return {
    id: 'logs',
    title: () => (targets.length === 1 ? `${safe(targets[0]!.name)} logs` : `logs of ${targets.length}`),
    summary: theme =>
      [
        tailState(theme, log),
        filter
          ? `${formatCount(filter.lines.matches())} of ${formatCount(log.end() - log.first())} lines`
          : `${formatCount(log.end() - log.first())} lines`,
        log.first() > 0 ? `${formatCount(log.first())} before them dropped` : '',
      ].filter(one => one.length > 0),
    scopes: () => ['logs'],
    actions: bind(logsActions, context),
    move: context.move,
    inside,
    place() {
      const count = `${formatCount(lines.end() - lines.first())} lines`
      return [view.needle() === '' ? count : linesWith(view), ...(view.following() ? ['following'] : [])].join(' · ')
    },
    draw(size, theme) {
      const inner = size.columns - 2
      const drawn = inside(theme, inner, Math.max(0, size.rows - 2))
      const footer: Part[] = [
        [theme.dim, view.needle() === '' ? '' : `${linesWith(view)}  `],
        followWords(theme, view.following(), log.state() === 'following'),
      ]
      const right = names.legend(theme, source => log.stateOf(source), inner >> 1)
      const sections = [{ title: title(theme), right, lines: drawn }]
      return frame(theme, { columns: size.columns, sections, footer, focused: true })
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    back() {
      if (view.needle() !== '') view.search('')
      else if (view.current() !== null) view.setCurrent(null)
      else if (filter) filterBy('', 0)
      else return false
      changed()
      return true
    },
    mouse(event) {
      if (event.kind === 'wheel') context.move(event.by * 3)
      if (event.kind !== 'press' || event.button !== 0 || event.y < 1) return
      view.setCurrent(view.lineAt(event.y - 1))
      changed()
    },
    close() {
      listeners.clear()
      log.stop()
    },
  }
}

/** Whether the window goes with what comes, and whether anything may come. */
function followWords(theme: Theme, follows: boolean, comes: boolean): Part {
  if (!follows) return [theme.dim, 'f follows']
  return comes ? [theme.ok, 'following'] : [theme.dim, 'the end']
}

function* counted(from: number, to: number): Generator<number> {
  for (let number = from; number < to; number++) yield number
}
