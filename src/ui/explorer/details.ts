/** Everything that is known of one step, on a page of its own: nothing is cut there. */
import { formatBytes, formatCount } from '../../base/sizes.ts'
import { safe, safeBytes } from '../../base/text.ts'
import type { Far } from '../../source/remote/far.ts'
import type { SourceKind } from '../../source/types.ts'
import { stepLines } from '../panes/step-pane.ts'
import { wrap } from '../panes/wrap.ts'
import type { Screen } from '../screen.ts'
import type { Theme } from '../theme.ts'
import type { Ui } from '../ui.ts'
import { line, type Part } from '../widgets/line.ts'
import { adviceFor, stepModel } from './draw.ts'
import { createPage } from './page-screen.ts'
import type { Session } from './session.ts'

export function createDetails(ui: Ui, session: Session): Screen {
  const step = session.step()
  return createPage(ui, {
    id: 'step',
    title: `Step ${step.index}`,
    what: 'step',
    lines: (theme, columns) => detailLines(theme, session, columns),
    text: () =>
      [safe(step.createdBy ?? ''), ...facts(session).map(([label, value]) => `${label}: ${value}`)].join('\n'),
  })
}

/** At most so many oddities are listed. */
const MOST_ODDITIES = 200

function detailLines(theme: Theme, session: Session, columns: number): string[] {
  const step = session.step()
  const lines: string[] = []
  const blank = () => lines.push(line(columns, []))
  const heading = (text: string) => {
    blank()
    lines.push(line(columns, [' ', [theme.accent, text]]))
  }
  const model = stepModel(session)
  lines.push(...stepLines(theme, { ...model, advice: [], oddities: [], facts: [] }, columns))
  heading('About')
  for (const [label, value] of facts(session)) {
    wrap(value, columns - 16, '  ').forEach((text, at) => {
      lines.push(line(columns, [[theme.dim, ` ${(at === 0 ? label : '').padEnd(13)} `], text]))
    })
  }
  const advice = adviceFor(session.advice(), step.index)
  if (advice.length > 0) heading('Advice')
  for (const one of advice) {
    const say = (style: (text: string) => string, text: string) => {
      for (const part of wrap(text, columns - 3, '  ')) lines.push(line(columns, ['  ', [style, part]]))
    }
    say(theme.strong, safe(one.title))
    say(theme.ok, `${theme.glyph.arrow} ${safe(one.fix)}`)
    const files = one.files > 0 ? `, ${formatCount(one.files)} files` : ''
    say(theme.dim, `saves ${formatBytes(one.bytes)}${files}`)
    for (const path of one.paths) say(theme.dim, `/${safeBytes(path)}`)
    blank()
  }
  const odd = oddities(session)
  if (odd.length > 0) heading(`Odd (${formatCount(odd.length)})`)
  for (const text of odd.slice(0, MOST_ODDITIES)) {
    for (const part of wrap(text, columns - 3, '  ')) lines.push(line(columns, ['  ', [theme.warning, part] as Part]))
  }
  if (odd.length > MOST_ODDITIES) lines.push(line(columns, [`  and ${formatCount(odd.length - MOST_ODDITIES)} more`]))
  return lines
}

/** What is odd in the layer of the step, and in the image as a whole where the step is its last. */
function oddities(session: Session): string[] {
  const { image, look } = session
  const step = session.step()
  const own = step.layer === null ? [] : (look.stack.layers[step.layer]?.anomalies ?? [])
  const stacked = look.stack.anomalies.filter(one => one.layer === step.layer && step.layer !== null)
  const error = step.layer === null ? null : session.loading().layers[step.layer]!.error
  const whole = image.anomalies.filter(one => one.layer === step.layer || one.layer === null)
  const texts = [...whole, ...own, ...stacked].map(
    one => `${one.path ? `/${safeBytes(one.path)}: ` : ''}${safe(one.text)}`,
  )
  return [...(error ? [safe(error)] : []), ...texts]
}

function facts(session: Session): [label: string, value: string][] {
  const { image, look } = session
  const step = session.step()
  const layer = step.layer === null ? null : image.layers[step.layer]!
  const index = step.layer === null ? null : look.stack.layers[step.layer]
  const all: [string, string | null][] = [
    ['Made', step.created],
    ['Author', step.author],
    ['Comment', step.comment],
    ['Image id', step.imageId],
    ['Layer', layer ? `${layer.index + 1} of ${image.layers.length}` : 'none'],
    ['diffID', layer?.diffId ?? null],
    ['chainID', layer?.chainId ?? null],
    ['Blob', layer?.digest ?? null],
    ['Media type', layer?.mediaType ?? null],
    ['Stored', index ? `${formatBytes(index.stored)} in ${formatCount(index.entries)} entries` : null],
    ['Tar', index && index.tarBytes > 0 ? formatBytes(index.tarBytes) : null],
    ['Compressed', layer?.compressed ? formatBytes(layer.compressed) : null],
    ['Read from', layer && image.far ? farFrom(image.far, layer.index) : readFrom(image.source)],
  ]
  return all.flatMap(([label, value]) => (value ? [[label, safe(value)] as [string, string]] : []))
}

/** Where a layer of an image in its registry is read from, and where it is on this machine. */
function farFrom(far: Far, layer: number): string {
  const toc = far.toc(layer)
  const place = far.here()[layer]
  const name = toc === 'estargz' ? 'eStargz' : 'zstd:chunked'
  return [
    toc === null ? `${far.registry}, whole` : `${far.registry}, by the table of contents that it carries (${name})`,
    ...(place ? [`${place} has it on this machine`] : []),
  ].join('; ')
}

/** A helper container is something that was done to the engine: it is named as such. */
function readFrom(source: SourceKind): string {
  return source.endsWith('-helper') ? `${source}: a container that was made for it, never started, and removed` : source
}
