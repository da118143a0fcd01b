/** The Explorer as lines: layers and the step on the left, the tabs on the right; one pane at a time where it is narrow. */

import type { Advice } from '../../advice/advise.ts'
import { formatBytes, formatCount, formatDuration, formatPercent } from '../../base/sizes.ts'
import { cutMiddle, safe, width } from '../../base/text.ts'
import { shortDigest } from '../../image/digest.ts'
import { parseInstruction } from '../../image/instruction.ts'
import type { Step } from '../../image/types.ts'
import { linesOf } from '../../image/written.ts'
import { stepsWritten } from '../../image/written-steps.ts'
import type { Image } from '../../source/types.ts'
import { type Size, twoPanes } from '../layout.ts'
import { layersPane } from '../panes/layers-pane.ts'
import { stepLines } from '../panes/step-pane.ts'
import type { Theme } from '../theme.ts'
import { frame, tabs } from '../widgets/frame.ts'
import { exactly, line, type Part, sideBySide } from '../widgets/line.ts'
import { bar } from '../widgets/progress.ts'
import { farSummary, unreadLines, unreadNote } from './far.ts'
import { liveStory } from './live.ts'
import type { Reading } from './reading.ts'
import type { Session } from './session.ts'
import type { Tab } from './tab.ts'

export interface DrawModel {
  session: Session
  tabs: readonly Tab[]
  tab: number
  focus: 'layers' | 'view'
  reading: Reading
  filterError: string | null
  /** The cursor goes to what has changed last. */
  following: boolean
}

/** Where things were drawn, for the mouse and for paging: rectangles of the body, rows without frames. */
export interface Places {
  layers: { x: number; y: number; columns: number; rows: number } | null
  view: { x: number; y: number; columns: number; rows: number } | null
}

/** Exactly the lines of the body. */
export function drawExplorer(theme: Theme, size: Size, model: DrawModel): { lines: string[]; places: Places } {
  const split = twoPanes(size.columns)
  const places: Places = { layers: null, view: null }
  if (!split) {
    const inner = { x: 1, y: 1, columns: size.columns - 2, rows: size.rows - 2 }
    if (model.focus === 'view') {
      places.view = inner
      return { lines: drawView(theme, size.columns, size.rows, model), places }
    }
    const { lines, rows } = drawLayers(theme, size.columns, size.rows, model)
    places.layers = { ...inner, rows }
    return { lines, places }
  }
  const [left, right] = split
  const layers = drawLayers(theme, left, size.rows, model)
  places.layers = { x: 1, y: 1, columns: left - 2, rows: layers.rows }
  places.view = { x: left + 1, y: 1, columns: right - 2, rows: size.rows - 2 }
  return { lines: sideBySide(layers.lines, drawView(theme, right, size.rows, model)), places }
}

/** Below this many rows the step has no section of its own. */
const DETAIL_FROM = 14

function drawLayers(theme: Theme, columns: number, rows: number, model: DrawModel): { lines: string[]; rows: number } {
  const { session } = model
  const inner = columns - 2
  const all = session.rows()
  const focused = model.focus === 'layers'
  const detailed = rows >= DETAIL_FROM
  const step = stepModel(session)
  let detail = detailed ? stepLines(theme, step, inner) : []
  const whole = detail.length
  const room = rows - (detailed ? 3 : 2)
  const listRows = detailed ? listHeight(room, all.length + 1, whole) : room
  if (whole > room - listRows) detail = stepLines(theme, step, inner, SHORT_COMMAND)
  const looked = session.range() ? session.looked() : null
  const options = { columns: inner, rows: listRows, state: session.list(), focused }
  const sections = [{ title: ['Layers'], lines: layersPane(theme, { rows: all, range: looked }, options) }]
  if (detailed) {
    const left = room - listRows
    const lines = exactly(detail, inner, left)
    if (detail.length > left && left > 0) {
      lines[left - 1] = line(inner, [[theme.dim, ` ${theme.glyph.ellipsis} d shows all ${whole} lines`]])
    }
    const { index } = session.step()
    const live = session.image.live && session.step().layer === session.image.live.number
    sections.push({ title: [live ? 'Live layer' : index === 0 ? 'No steps' : `Step ${index}`], lines })
  }
  const place = all.length === 0 ? 'no steps' : `${session.list().cursor + 1} of ${formatCount(all.length)}`
  return { lines: frame(theme, { columns, sections, footer: [[theme.dim, place]], focused }), rows: listRows }
}

/** Lines of a command where there is no room for all that is to be said. */
const SHORT_COMMAND = 3

/** How the room is shared: the list gets what it needs, the step at least a third, more where the list needs less. */
function listHeight(room: number, list: number, detail: number): number {
  const most = Math.max(room - detail, Math.ceil(room * 0.62))
  return Math.min(list, most)
}

/** What the section of the step says. */
export function stepModel(session: Session) {
  const { image, look } = session
  const step = session.step()
  if (image.live && step.layer === image.live.number) return liveModel(session)
  const state = step.layer === null ? null : session.loading().layers[step.layer]!
  const story =
    step.layer === null
      ? step.index === 0
        ? []
        : ['Changes the config only: it makes no layer.']
      : state?.adds === null
        ? []
        : (session.story() ?? [])
  const odd = step.layer === null ? [] : (look.stack.layers[step.layer]?.anomalies ?? [])
  const stacked = look.stack.anomalies.filter(one => one.layer === step.layer)
  const oddities = summarised([...odd, ...stacked].map(one => one.kind))
  return {
    command: commandOf(step),
    story: session.range() ? [] : story,
    oddities: [...(state?.error ? [state.error] : []), ...oddities],
    advice: adviceFor(session.advice(), step.index).map(({ fix, bytes }) => ({ fix, bytes })),
    facts: [
      ...writtenAt(image, step),
      ...(step.created ? [`made ${step.created.slice(0, 19).replace('T', ' ')}`] : []),
      ...(step.author ? [`by ${step.author}`] : []),
      ...(step.layer === null ? [] : [`layer ${step.layer}, ${shortDigest(image.layers[step.layer]!.diffId)}`]),
    ],
  }
}

/** Where the step stands in the Dockerfile that the person has: `Dockerfile:12-14`. */
function writtenAt({ written, steps }: Image, step: Step): string[] {
  const at = written && stepsWritten(written.file, steps, written.target).get(step.index)
  return at ? [`${written.file.name}:${linesOf(at)}`] : []
}

/** What the section of the live layer says. */
function liveModel({ look, image }: Session) {
  const notice = image.live?.notice() ?? null
  return {
    command: `${image.live!.container}: what it has changed`,
    story: look.world.live ? liveStory(look.world.live) : [],
    oddities: notice === null ? [] : [notice],
    advice: [],
    facts: [],
  }
}

/** The command as a Dockerfile has it, of any length, as it is. */
function commandOf(step: Step): string {
  if (step.index === 0) return 'The image has no history and no layers.'
  const { keyword, text } = parseInstruction(step.createdBy, step.comment)
  if (keyword) return `${keyword} ${text}`
  return text || step.comment || 'The history does not say what made this layer.'
}

/** The advice that concerns a step. */
export function adviceFor(advice: readonly Advice[], step: number): readonly Advice[] {
  return advice.filter(one => one.steps.includes(step))
}

function summarised(kinds: readonly string[]): string[] {
  const counts = new Map<string, number>()
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return [...counts].map(
    ([kind, count]) => `${count === 1 ? '' : `${formatCount(count)} x `}${kind.replaceAll('-', ' ')}`,
  )
}

function drawView(theme: Theme, columns: number, rows: number, model: DrawModel): string[] {
  const { session } = model
  const tab = model.tabs[model.tab]!
  const focused = model.focus === 'view'
  const inner = columns - 2
  const height = Math.max(0, rows - 2)
  const ofPaths = isOfPaths(tab)
  const waiting = ofPaths && (session.look.scene === null || (tab.pane === 'waste' && !session.loading().over()))
  const lines = waiting
    ? waitingLines(theme, inner, height, model)
    : tab.draw(theme, { columns: inner, rows: height, focused })
  const names = model.tabs.map(one => one.name)
  const beside = columns - 8 - names.join('  ').length
  const [full, short] = asOf(theme, model)
  const right = partWidth(full) <= beside ? full : partWidth(short) <= beside ? short : beside >= 0 ? [] : full
  const title: Part[] =
    beside >= 0
      ? tabs(theme, names, model.tab)
      : [
          [text => theme.strong(theme.accent(text)), tab.name],
          [theme.dim, ` ${model.tab + 1}/${names.length}`],
        ]
  const footer = footerParts(theme, model, tab, waiting, columns - 6)
  return frame(theme, { columns, sections: [{ title, right, lines: exactly(lines, inner, height) }], footer, focused })
}

/** Whether its rows are paths of the file system. */
export function isOfPaths({ pane }: Tab): boolean {
  return pane === 'tree' || pane === 'changes' || pane === 'waste'
}

function partWidth(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => sum + width(typeof part === 'string' ? part : part[1]), 0)
}

function footerParts(theme: Theme, model: DrawModel, tab: Tab, waiting: boolean, columns: number): Part[] {
  const { look } = model.session
  if (model.filterError) return [[theme.danger, cutMiddle(model.filterError, columns)]]
  const reading = isOfPaths(tab) && !waiting && columns >= 54 && !model.session.loading().over()
  const parts: string[] = reading ? readingFacts(model.reading) : []
  const { session } = model
  if (!waiting && session.image.far && isOfPaths(tab) && session.unreadHere())
    parts.push(unreadNote(session.loading().layers, session.layerHere()))
  if (isOfPaths(tab) && look.filter) parts.push(`/${safe(look.filter.text)}`)
  if (tab.pane === 'tree' && look.onlyChanges) parts.push('only changes')
  if (isOfPaths(tab) && tab.pane !== 'waste' && look.sort !== 'name') parts.push(`by ${look.sort}`)
  if (model.following && isOfPaths(tab)) parts.push('following')
  // What is alive is made anew all the time.
  if (!waiting) parts.push(tab.busy() && !model.session.image.live ? `working ${theme.glyph.ellipsis}` : tab.footer())
  return parts.length === 0 ? [] : [[theme.dim, parts.join(` ${theme.glyph.dot} `)]]
}

/** Which step or range of steps the tabs show, in words and in short. */
function asOf(theme: Theme, { session, reading, tabs: all, tab: at }: DrawModel): [full: Part[], short: Part[]] {
  const { pane } = all[at]!
  if (pane === 'waste') return [[[theme.dim, 'whole image']], []]
  if (pane !== 'tree' && pane !== 'changes' && pane !== 'config') return [[], []]
  const { scene, world } = session.look
  const looked = session.looked()
  const step = world.stepOf
  const percent = reading.percent()
  if (!session.loading().over()) return [[[theme.accent, `reading ${percent}`]], [[theme.accent, percent]]]
  if (looked && looked.from !== looked.to && (!scene || scene.to === looked.to)) {
    const [from, to] = [step(looked.from), step(looked.to)]
    return [[[theme.accent, `steps ${from} to ${to}`]], [[theme.accent, `${from}–${to}`]]]
  }
  const behind = scene !== null && scene.to >= 0 && scene.to < (looked?.to ?? session.layerHere())
  const now = behind ? step(scene.to) : looked && session.range() ? step(looked.to) : session.step().index
  if (session.image.live && scene?.to === session.image.live.number) return [[[theme.accent, 'live layer']], []]
  return [[[theme.dim, `as of step ${now}`]], [[theme.dim, `@${now}`]]]
}

/** What stands in the tree's place while the layers that it needs are read. */
function waitingLines(theme: Theme, columns: number, rows: number, model: DrawModel): string[] {
  const { session, reading } = model
  const loading = session.loading()
  const broken = loading.layers.find(layer => layer.phase === 'broken')
  const lines: string[] = ['']
  const say = (...parts: Part[]) => lines.push(line(columns, [' ', ...parts]))
  lines[0] = line(columns, [])
  if (loading.over()) {
    if (session.image.far && !broken) {
      for (const parts of unreadLines(theme, loading.layers, session.layerHere())) say(...parts)
      return exactly(lines, columns, rows)
    }
    say(loading.laid() === 0 ? 'No layer has been read.' : 'The layers that this needs have not been read.')
    if (broken?.error) say([theme.danger, safe(broken.error)])
    else if (session.image.layers.length > 0) say([theme.key, 'r'], [theme.dim, ' reads on'])
    else say([theme.dim, 'The image has no layers.'])
    return exactly(lines, columns, rows)
  }
  const { done, total, layers } = reading.now()
  say([theme.strong, `Reading ${layers}`])
  lines.push(line(columns, []))
  if (total > 0) lines.push(line(columns, [' ', ...bar(theme, Math.max(4, Math.min(48, columns - 2)), done / total)]))
  say([theme.dim, readingFacts(reading).join(` ${theme.glyph.dot} `)])
  lines.push(line(columns, []))
  say([theme.key, 'esc'], [theme.dim, ' stops; what has been read can be looked at'])
  return exactly(lines, columns, rows)
}

/** `412 MB of 916 MB`, `310 MB/s`, `2 s left`. */
function readingFacts(reading: Reading): string[] {
  const { done, total, rate, left } = reading.now()
  return [
    total > 0 ? `${formatBytes(Math.min(done, total))} of ${formatBytes(total)}` : formatBytes(done),
    ...(rate > 0 ? [`${formatBytes(rate)}/s`] : []),
    ...(left !== null ? [`${formatDuration(left)} left`] : []),
  ]
}

/** What the breadcrumb line says of the image, most important first. */
export function summaryOf(theme: Theme, session: Session): (string | Part[])[] {
  const { image, look } = session
  const loading = session.loading()
  const layers = `${formatCount(image.layers.length)} ${image.layers.length === 1 ? 'layer' : 'layers'}`
  const rough = loading.layers.reduce((sum, layer) => sum + (layer.stored ?? layer.total ?? 0), 0)
  const over = loading.laid() === image.layers.length
  const far = image.far ? farSummary(theme, image, image.far) : []
  if (!over) return [`${rough > 0 ? '~' : ''}${formatBytes(rough)}`, ...far, layers]
  if (image.live) return liveSummary(theme, session)
  const { stored, visible } = look.stack
  const wasted = stored - visible
  const { odd, forged } = session.oddities()
  return [
    formatBytes(stored),
    ...(forged ? [[[theme.danger, '! not what its digests say']] as Part[]] : []),
    ...(wasted > 0 ? [`${formatBytes(wasted)} wasted`] : []),
    ...(odd > 0 ? [[[theme.warning, `! ${formatCount(odd)} odd`]] as Part[]] : []),
    ...far,
    layers,
    `${formatPercent(stored === 0 ? 1 : visible / stored)} efficient`,
  ]
}

/** `18.4 MB live`, `+212 kB/s`, `214 changes`. */
function liveSummary(theme: Theme, { image, look }: Session): (string | Part[])[] {
  const { live } = look.world
  const view = image.live!
  const rate = live ? view.layer.totalRate(live.now()) : 0
  return [
    [[theme.strong, `live layer ${formatBytes(view.layer.bytes())}`]],
    ...(view.notice() === null ? [] : [[[theme.warning, '! see the step']] as Part[]]),
    ...(rate > 0 ? [[[theme.accent, `+${formatBytes(rate)}/s`]] as Part[]] : []),
    `${formatCount(view.layer.count())} changes`,
    `${formatCount(view.number)} layers below`,
  ]
}

/** The body while there is no image yet, or never will be. */
export function messageLines(theme: Theme, size: Size, title: string, texts: readonly Part[]): string[] {
  const lines = [line(size.columns, []), line(size.columns, ['  ', [theme.strong, title]]), line(size.columns, [])]
  for (const text of texts) lines.push(line(size.columns, ['  ', text]))
  return exactly(lines, size.columns, size.rows)
}
