/** The panel beside the list: what one thing costs, who shares it, and why it can or can not be freed. */
import { containerBytes, imageName, isLoose, isStopped, layerName, planRemoval, shortId } from '../../actions/disks.ts'
import { roughDuration } from '../../base/durations.ts'
import { formatBytes } from '../../base/sizes.ts'
import { cutMiddle, safe } from '../../base/text.ts'
import type { StoredLayer } from '../../engine/usage.ts'
import type { Theme } from '../theme.ts'
import { line, type Part } from '../widgets/line.ts'
import { wrap } from '../widgets/wrap.ts'
import { pieceOf } from './pieces.ts'
import type { StorageRow } from './rows.ts'
import { cacheState, formatSum, some } from './table.ts'

/** Lines of the panel, each of `columns`; `now` in milliseconds since 1970. */
export function panelLines(theme: Theme, columns: number, row: StorageRow, now: number): string[] {
  const room = columns - 2
  const lines = [...about(theme, room, row, now), [], ...verdict(theme, room, row)]
  return lines.map(parts => line(columns, [' ', ...parts]))
}

type Lines = Part[][]

function about(theme: Theme, room: number, row: StorageRow, now: number): Lines {
  const fact = (label: string, ...parts: Part[]): Part[] => [[theme.dim, label.padEnd(LABEL)], ...parts]
  const list = (label: string, names: readonly string[], most = 6): Lines => [
    ...names.slice(0, most).map((name, at) => fact(at === 0 ? label : '', cutMiddle(name, room - LABEL))),
    ...(names.length > most ? [fact('', [theme.dim, `and ${names.length - most} more`])] : []),
  ]
  const id = (text: string) => fact('id', cutMiddle(safe(text.replace(/^sha256:/, '')), room - LABEL))
  const { usage } = row
  const images = (ids: readonly string[]) =>
    ids.map(one => {
      const image = usage.images.find(image => image.id === one)
      return safe(image ? imageName(image) : shortId(one))
    })
  const containers = (ids: readonly string[]) =>
    ids.map(one => {
      const container = usage.containers.find(container => container.id === one)
      return container ? `${safe(container.name)} (${container.state})` : `${shortId(one)} (native engine)`
    })
  const size = (bytes: number | null): Part => [theme.strong, bytes === null ? 'size not known' : formatBytes(bytes)]
  const age = (seconds: number | null) =>
    seconds === null ? [] : [fact('created', `${roughDuration(Math.max(0, now - seconds * 1000))} ago`)]

  if (row.view === 'layers') {
    const { it } = row
    const what = it.kind === 'blob' ? '  as it came' : ''
    return [
      [size(it.bytes), [theme.dim, what]],
      [],
      ...wrap(safe(layerName(it)), room)
        .slice(0, 4)
        .map((text): Part[] => [text]),
      [],
      id(it.digest),
      ...list('images', images(it.images)),
      ...list('used by', containers(it.containers)),
      ...(it.cache.length > 0
        ? [fact('cache', `${some(it.cache.length, 'entry').replace('entrys', 'entries')} of the build cache`)]
        : []),
    ]
  }
  if (row.view === 'images') {
    const { it, cost } = row
    const own = it.layers.flatMap(id => usage.layers.find(one => one.id === id) ?? [])
    return [
      [[theme.strong, formatSum(cost.total)], ` in ${piecesOf(own)}`],
      [],
      fact('unique', [theme.accent, formatSum(cost.unique)], [theme.dim, '  in no other image']),
      fact('shared', formatSum(cost.shared), [
        theme.dim,
        cost.sharedWith.size > 0 ? `  with ${some(cost.sharedWith.size, 'image')}` : '',
      ]),
      id(it.id),
      ...age(it.created),
      ...list(
        'names',
        it.names.map(one => safe(one)),
        3,
      ),
      ...list('shares', images([...cost.sharedWith]), 5),
      ...list(
        'used by',
        [
          ...containers(usage.containers.filter(one => one.imageId === it.id).map(one => one.id)),
          ...(it.lentTo ?? []).map(name => `${safe(name)} (native engine)`),
        ],
        4,
      ),
      [],
      ...own
        .slice(0, 12)
        .map((layer): Part[] => [
          [
            layer.images.length > 1 ? theme.dim : theme.accent,
            layer.images.length > 1 ? theme.glyph.barEmpty : theme.glyph.barFull,
          ],
          ' ',
          (layer.bytes === null ? '?' : formatBytes(layer.bytes)).padStart(8),
          [theme.dim, `  ${cut(safe(layerName(layer)), room - 12)}`],
        ]),
      ...(own.length > 12 ? [[[theme.dim, `and ${own.length - 12} more layers`] as Part]] : []),
    ]
  }
  if (row.view === 'containers') {
    const { it } = row
    const volumes = usage.volumes.filter(one => it.volumes.includes(one.name))
    return [
      [[theme.strong, formatSum(containerBytes(it))], ' of its own'],
      [],
      fact('written', it.upperBytes === null ? 'not known' : formatBytes(it.upperBytes), [
        theme.dim,
        '  in its live layer',
      ]),
      fact('log', it.logBytes === null ? 'not seen from here' : formatBytes(it.logBytes), [
        theme.dim,
        it.logBytes === null ? '' : '  beside it',
      ]),
      fact('state', safe(it.status || it.state)),
      fact('image', cutMiddle(safe(it.image), room - LABEL)),
      id(it.id),
      ...list(
        'volumes',
        volumes.map(
          one =>
            `${safe(one.anonymous ? shortId(one.name) : one.name)}  ${one.bytes === null ? '?' : formatBytes(one.bytes)}`,
        ),
      ),
    ]
  }
  if (row.view === 'volumes') {
    const { it } = row
    return [
      [size(it.bytes), [theme.dim, it.anonymous ? '  nobody named it' : '']],
      [],
      fact('name', cutMiddle(safe(it.name), room - LABEL)),
      fact('driver', safe(it.driver)),
      ...age(it.created),
      ...list('used by', containers(it.users)),
    ]
  }
  const { it } = row
  return [
    [size(it.bytes), [theme.dim, `  ${cacheState(it)}`]],
    [],
    ...wrap(safe(it.description || it.id), room)
      .slice(0, 5)
      .map((text): Part[] => [text]),
    [],
    fact('id', safe(it.id)),
    fact('kind', safe(it.type)),
    ...(it.lastUsed === null ? [] : [fact('used', `${roughDuration(Math.max(0, now - it.lastUsed * 1000))} ago`)]),
    ...list(
      'needs',
      it.parents.map(one => safe(one)),
      3,
    ),
  ]
}

const LABEL = 10

/** What would come of removing it. */
function verdict(theme: Theme, room: number, row: StorageRow): Lines {
  const say = (style: (text: string) => string, text: string): Lines =>
    wrap(text, room).map((one): Part[] => [[style, one]])
  if (row.view === 'layers' && !isLoose(row.it)) return say(theme.dim, layerVerdict(row))
  const plan = planRemoval(row.usage, [pieceOf(row)])
  if (plan.victims.length === 0) {
    const why = safe(plan.stays[0]?.why ?? 'it is in use')
    const hint = row.view === 'containers' && !isStopped(row.it) ? ' Stop it first.' : ''
    return say(theme.warning, `It can not be removed: ${why}.${hint}`)
  }
  const frees = plan.frees.bytes === 0 && !plan.frees.atLeast ? 'nothing' : formatSum(plan.frees)
  const kept = plan.kept > 0 ? ` ${formatBytes(plan.kept)} of its layers stay: others need them.` : ''
  const cached =
    row.view === 'images' && row.usage.layers.some(one => one.cache.length > 0 && row.it.layers.includes(one.id))
  return [
    ...say(plan.frees.bytes > 0 ? theme.ok : theme.dim, `Removing it frees ${frees}.`),
    ...(kept === '' ? [] : say(theme.dim, kept.trim())),
    ...(cached ? say(theme.dim, 'The build cache keeps some of it.') : []),
  ]
}

function layerVerdict(row: StorageRow & { view: 'layers' }): string {
  const { images, containers, cache, busy } = row.it
  if (busy) return 'A running strata works with it.'
  const the = (count: number, noun: string) => (count === 1 ? `the ${noun}` : `the ${some(count, noun)}`)
  const who = [
    ...(images.length > 0 ? [the(images.length, 'image')] : []),
    ...(containers.length > 0 ? [the(containers.length, 'container')] : []),
    ...(cache.length > 0 ? ['the build cache’s entry'] : []),
  ]
  const all = who.length > 1 ? `${who.slice(0, -1).join(', ')} and ${who.at(-1)}` : who[0]
  return `It is freed when ${all} ${images.length + containers.length + Math.min(1, cache.length) === 1 ? 'goes' : 'go'}.`
}

/** The native store keeps layers as they came, and unpacked where they were needed. */
function piecesOf(own: readonly StoredLayer[]): string {
  const blobs = own.filter(one => one.kind === 'blob').length
  const layers = own.length - blobs
  return [layers > 0 ? some(layers, 'layer') : '', blobs > 0 ? some(blobs, 'blob') : ''].filter(Boolean).join(' and ')
}

function cut(text: string, room: number): string {
  return text.length <= room ? text : `${text.slice(0, Math.max(0, room - 1))}…`
}
