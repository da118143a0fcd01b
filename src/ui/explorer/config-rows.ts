/** The rows of the Config tab: what a container of this step would start with, and which step said so. */
import { formatBytes } from '../../base/sizes.ts'
import { safe } from '../../base/text.ts'
import { formatHealthcheck } from '../../image/healthcheck.ts'
import { configAsOf, type Replay } from '../../image/replay.ts'
import type { RunConfig } from '../../image/types.ts'
import type { Image } from '../../source/types.ts'

export interface ConfigRow {
  /** Empty where the row goes on with the label above. */
  label: string
  /** Harmless text. */
  value: string
  /** As it is in the config, for copying. */
  raw: string
  /** The step that set it to this value; 0: it was there before the first; null: it is no part of what steps set. */
  step: number | null
}

/** The config after each step, from 0 (what lies below the first): made once for an image. */
export function replaysOf(image: Image): Replay[] {
  const { config, steps } = image
  const after = (index: number) => configAsOf(config, steps, index)
  if (steps.length > MOST_STEPS) return [after(0), after(steps.length)]
  return [after(0), ...steps.map(step => after(step.index))]
}

/** More steps than this are not replayed one by one: each replay reads the whole history. */
const MOST_STEPS = 400

/** The config as of a step (1-based), and where each value comes from. */
export function configRows(image: Image, replays: readonly Replay[], stepIndex: number): ConfigRow[] {
  const at = Math.min(stepIndex, replays.length - 1)
  const fields = replays.slice(0, at + 1).map(replay => new Map(fieldsOf(replay.run)))
  const rows: ConfigRow[] = []
  for (const [label, values] of fields[at]!) {
    for (const [i, value] of values.entries()) {
      const step = fields.findLastIndex(one => !one.get(label)?.includes(value)) + 1
      rows.push({ label: i === 0 ? label : '', value: safe(value), raw: value, step })
    }
  }
  if (rows.length === 0) rows.push({ label: '', value: 'Nothing is set as of this step.', raw: '', step: null })
  const { differs } = replays[at]!
  if (differs.length > 0) {
    const what = `The history does not tell all: ${differs.join(', ')} may be wrong before the last step.`
    rows.push({ label: 'Note', value: what, raw: what, step: null })
  }
  return [...rows, { label: '', value: '', raw: '', step: null }, ...imageRows(image)]
}

type Field = [label: string, values: string[]]

function fieldsOf(run: RunConfig): Field[] {
  const fields: Field[] = [
    ['Entrypoint', run.entrypoint ? [JSON.stringify(run.entrypoint)] : []],
    ['Cmd', run.cmd ? [JSON.stringify(run.cmd)] : []],
    ['Workdir', run.workingDir ? [run.workingDir] : []],
    ['User', run.user ? [run.user] : []],
    ['Env', run.env],
    ['Ports', run.exposedPorts],
    ['Volumes', run.volumes],
    ['Health', run.healthcheck ? [formatHealthcheck(run.healthcheck)] : []],
    ['Stop', run.stopSignal ? [run.stopSignal] : []],
    ['Shell', run.shell ? [JSON.stringify(run.shell)] : []],
    ['Onbuild', run.onBuild],
    ['Labels', Object.entries(run.labels).map(([name, value]) => `${name}=${value}`)],
  ]
  return fields.filter(([, values]) => values.length > 0)
}

function imageRows(image: Image): ConfigRow[] {
  const { config, platform } = image
  const variant = platform.variant ? `/${platform.variant}` : ''
  const compressed = image.layers.reduce((sum, layer) => sum + (layer.compressed ?? 0), 0)
  const facts: Field[] = [
    ['Names', image.names],
    ['Image id', [image.id]],
    ['Digest', image.digest ? [image.digest] : []],
    ['Platform', [`${platform.os}/${platform.architecture}${variant}`]],
    ['Created', config.created ? [config.created] : []],
    ['Author', config.author ? [config.author] : []],
    ['Source', [image.source]],
    ['Packed', compressed > 0 ? [`${formatBytes(compressed)} compressed`] : []],
  ]
  if (image.anomalies.length > 0) facts.push(['Odd', image.anomalies.map(one => one.text)])
  return facts.flatMap(([label, values]) =>
    values.map((value, at) => ({ label: at === 0 ? label : '', value: safe(value), raw: value, step: null })),
  )
}
