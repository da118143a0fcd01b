/** A new container of an image: the form, the making, and the way to it. */

import { runLine } from '../../actions/by-hand.ts'
import { shellLine } from '../../base/shell-words.ts'
import { safe } from '../../base/text.ts'
import type { ContainerEngine, ContainerSpec } from '../../engine/containers.ts'
import type { RunConfig } from '../../image/types.ts'
import type { Ui } from '../ui.ts'
import { type Around, engineOf, fieldsOf } from './new-fields.ts'
import { specOf } from './new-spec.ts'

/** The image that it is to be made of. */
export interface WantedImage {
  /** As an engine calls it that has it: `node:24`, an id. */
  name: string
  /** As `services.open` takes it: what the native engine runs it from. */
  reference: string
  /** The id or the kind of the engine that has it; null: only a reference is known. */
  engine: string | null
}

/** Milliseconds that a name rests until it is looked up. */
const REST = 200

/** Asks for everything, makes it, starts it unless that is not wanted, and shows it. null: the image is asked for too. */
export async function newContainer(ui: Ui, wanted: WantedImage | null): Promise<void> {
  const { containers } = ui.services
  if (containers.readOnly) return
  const opened = await ui.work('Asking the engines', ({ signal }) => containers.engines(signal))
  if (!opened) return
  const ended = new AbortController()
  try {
    const able = wanted === null ? opened.engines : opened.engines.filter(one => mayHave(one, wanted))
    if (able.length === 0) return ui.toast('No engine answers that could run it.', 'warning')
    const around = lookAround(ui, able, wanted, ended.signal)
    const commandOf = (engine: ContainerEngine, spec: ContainerSpec) => runLine(engine, spec, 'run')
    const answer = await ui.form({
      title: wanted ? `Run ${safe(wanted.name)}` : 'New container',
      fields: values => fieldsOf(around, values),
      buttons: ['run', 'create only'],
      at: wanted ? 'name' : 'image',
      command(values) {
        const engine = engineOf(around, values)
        const spec = specOf(values, around.referenceOf(engine, String(values.image)) || 'IMAGE')
        return engine ? safe(shellLine(commandOf(engine, spec))) : null
      },
    })
    if (!answer) return
    const engine = engineOf(around, answer.values)!
    const spec = specOf(answer.values, around.referenceOf(engine, String(answer.values.image)))
    await make(ui, engine, spec, answer.button === 0)
  } finally {
    ended.abort()
    opened.close()
  }
}

/** The native engine runs an image from wherever it is. */
function mayHave({ id, kind }: ContainerEngine, { engine }: WantedImage): boolean {
  return kind === 'native' || engine === id || engine === kind
}

/** Makes it; a failure is shown. What was made and does not start stays to be looked at, unless it would not stay anyway. */
async function make(ui: Ui, engine: ContainerEngine, spec: ContainerSpec, start: boolean): Promise<void> {
  const { journal, containers } = ui.services
  const called = spec.name ?? safe(spec.image)
  const atTerminal = start && spec.tty === true
  const deed = {
    what: start ? `ran ${called}` : `created ${called}`,
    engine: engine.id,
    command: runLine(engine, spec, start ? 'run' : 'create'),
  }
  let made = ''
  const done = await ui.work(`${start ? 'Starting' : 'Making'} ${safe(called)}`, ({ signal }) =>
    journal.record(deed, async () => {
      const { id, warnings } = await engine.containers.create(
        start && !atTerminal ? { ...spec, stdinOnce: false } : spec,
        { signal },
      )
      made = id
      if (start && !atTerminal) await startOrRemove(engine, id, spec)
      return { warnings, name: spec.name ?? (await nameOf(engine, id)) }
    }),
  )
  if (made !== '') ui.reveal('containers', `${engine.id} ${made}`)
  if (!done) return
  for (const warning of done.warnings) ui.toast(warning, 'warning')
  if (!atTerminal) {
    if (done.warnings.length === 0) ui.toast(`${start ? 'started' : 'created'} ${done.name ?? made.slice(0, 12)}`)
    return
  }
  let failure: unknown = null
  let status: number | null = 0
  await ui.handOver(async () => {
    try {
      status = await containers.attach(engine.id, { id: made, name: done.name ?? made.slice(0, 12) }, { start: true })
    } catch (error) {
      failure = error
    }
  })
  if (failure !== null) ui.fail(failure, 'It can not be started')
  else if (status) ui.toast(`It ended with ${status}.`)
}

async function startOrRemove({ containers }: ContainerEngine, id: string, { remove }: ContainerSpec): Promise<void> {
  try {
    await containers.start(id)
  } catch (error) {
    if (remove) await containers.remove(id, { force: true }).catch(() => {})
    throw error
  }
}

/** What it was called; null where it is gone already. */
async function nameOf({ containers }: ContainerEngine, id: string): Promise<string | null> {
  const facts = await containers.inspect(id).catch(() => null)
  return facts?.name ?? null
}

/** What the form has to know, asked for as far as it is looked at, and no longer than `signal` lasts. */
function lookAround(ui: Ui, engines: readonly ContainerEngine[], wanted: WantedImage | null, signal: AbortSignal) {
  const runs = new Map<string, RunConfig | null | undefined>()
  const names = new Map<string, Set<string>>()
  let rows: Promise<readonly { name: string; reference: string; engine: string }[]> | null = null
  let resting: NodeJS.Timeout | undefined
  signal.addEventListener('abort', () => clearTimeout(resting))
  const changed = () => {
    if (!signal.aborted) ui.changed()
  }
  const referenceOf = (engine: ContainerEngine | undefined, text: string): string => {
    const image = text.trim()
    if (engine?.kind !== 'native' || wanted === null || image !== wanted.name) return image
    return wanted.reference.replace(/^strata:/, '')
  }
  const look = async (engine: ContainerEngine, image: string, key: string) => {
    const found = await engine.imageRun?.(image, { signal }).catch(() => undefined)
    if (found !== undefined) runs.set(key, found)
    changed()
  }
  const first = engines.find(one => one.id === wanted?.engine || one.kind === wanted?.engine) ?? engines[0]!
  for (const engine of engines)
    engine.containers.list({ all: true, signal }).then(
      all => names.set(engine.id, new Set(all.map(one => one.name))),
      () => {},
    )
  const around: Around & { referenceOf: typeof referenceOf } = {
    engines,
    first: first.id,
    image: wanted?.name ?? null,
    referenceOf,
    taken: (engine, name) => names.get(engine)?.has(name) === true,
    completePath: text => ui.services.completePath(text),
    run(engine, image) {
      // The native engine would have to open it: whoever has it tells.
      const asked = engine.kind === 'native' && wanted !== null && image === wanted.name ? first : engine
      const key = `${asked.id} ${image}`
      if (runs.has(key)) return asked === engine ? runs.get(key) : (runs.get(key) ?? undefined)
      clearTimeout(resting)
      resting = setTimeout(
        () => {
          runs.set(key, undefined)
          void look(asked, asked.kind === 'native' ? referenceOf(asked, image) : image, key)
        },
        image === wanted?.name ? 0 : REST,
      )
      return undefined
    },
    async images(engine) {
      rows ??= imageNames(ui, signal)
      const kind = engines.find(one => one.id === engine)?.kind
      return (await rows).flatMap(row => (kind === 'native' || row.engine === engine ? row.name : []))
    },
  }
  return around
}

async function imageNames(ui: Ui, signal: AbortSignal) {
  let rows: readonly { name: string; reference: string; engine: string }[] = []
  try {
    for await (const listing of ui.services.images.list(signal)) {
      rows = listing.rows.flatMap(({ repository, tag, reference, engine }) =>
        repository === null ? [] : [{ name: tag === null ? repository : `${repository}:${tag}`, reference, engine }],
      )
      if (listing.engines.every(one => one.state !== 'asking') && rows.length > 0) break
    }
  } catch {}
  return rows
}
