/** The public shape `strata.analysis/1` (README, "JSON"). It changes only with the number in its name. */
import type { Advice } from '../advice/advise.ts'
import { formatPlatform } from '../image/platform.ts'
import type { Anomaly } from '../layer/entry.ts'
import { anomaliesOf } from './analysis.ts'
import { streamed } from './json.ts'
import type { LayerReport, Report } from './report.ts'
import { jsonPath } from './text.ts'
import { wasteJson } from './waste.ts'

/** The members of the document in their order; the long arrays are made while they are written. */
export function analysisJson(report: Report): Record<string, unknown> {
  const { analysis, bytes, efficiency, entries, steps, layers, waste, dive } = report
  const { image } = analysis
  return {
    schema: 'strata.analysis/1',
    image: {
      reference: image.reference,
      id: image.id,
      digest: image.digest,
      source: image.source,
      platform: formatPlatform(image.platform),
      created: image.config.created,
    },
    bytes,
    efficiency,
    entries,
    steps: streamed(
      steps.map(({ index, createdBy, created, comment, author, layer }) => ({
        index,
        createdBy,
        created,
        comment,
        author,
        layer,
      })),
    ),
    layers: streamed(layers.map(layerJson)),
    waste: streamed(wasteJson(analysis, waste)),
    advice: streamed(mapped(report.advice, adviceJson)),
    anomalies: streamed(mapped(anomaliesOf(analysis), anomalyJson)),
    dive: {
      efficiency: dive.efficiency,
      wastedBytes: dive.wastedBytes,
      userWastedPercent: dive.userWastedPercent,
    },
  }
}

function layerJson(layer: LayerReport): unknown {
  const { index, step, diffId, chainId, digest, mediaType, compressed, stored, adds } = layer
  const { entries, added, changed, deleted } = layer
  return { index, step, diffId, chainId, digest, mediaType, compressed, stored, adds, entries, added, changed, deleted }
}

function adviceJson({ rule, title, bytes, layers, fix }: Advice): unknown {
  return { rule, title, bytes, layers, fix }
}

function anomalyJson({ layer, path, kind, text }: Anomaly): unknown {
  return { layer, ...(path ? jsonPath(path) : { path: null }), kind, text }
}

function* mapped<T>(rows: Iterable<T>, shape: (row: T) => unknown): Generator<unknown> {
  for (const row of rows) yield shape(row)
}
