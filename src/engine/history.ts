/**
 * What an engine's history leaves out, filled in: which rows own a layer (the API has no `empty_layer`), and which
 * steps are images of their own. Good enough for the first frame; the image's raw config, once it is there, is right.
 */
import { parseInstruction } from '../image/instruction.ts'
import type { Digest, HistoryLine } from '../image/types.ts'
import type { EngineHistoryRow, EngineImage } from './engine.ts'

/**
 * History lines from an engine's rows, oldest first. A row with bytes owns a layer. Layers that are left go to rows
 * whose instruction can make one without a byte (`RUN rm`), then to WORKDIR, then to others, lowest first. `layersAt` is
 * how many layers the image of a row has, where that is known: then nothing has to be guessed about the row.
 * `sure` is false where it was guessed: BuildKit makes a layer for every RUN, the classic builder only for one that
 * changed something.
 */
export function inferHistory(
  rows: readonly EngineHistoryRow[],
  layerCount: number,
  layersAt: readonly (number | null)[] = [],
): { lines: HistoryLine[]; sure: boolean } {
  const owns = rows.map((row, at) => known(layersAt, at) ?? (row.size > 0 ? true : null))
  const left = layerCount - owns.filter(one => one === true).length
  const [may = [], whenNew = [], hardly = []] = [0, 1, 2].map(rank =>
    rows.flatMap((row, at) => (owns[at] === null && rankOf(row) === rank ? [at] : [])),
  )
  for (const at of [...may, ...whenNew, ...hardly].slice(0, Math.max(0, left))) owns[at] = true
  const allMay = left === may.length && may.every(at => isBuildKit(rows[at]))
  const sure = left === 0 || allMay || left === may.length + whenNew.length
  const lines = rows.map((row, at) => ({
    created: row.created === null ? null : timeOf(row.created),
    createdBy: row.createdBy,
    comment: row.comment,
    author: null,
    emptyLayer: owns[at] !== true,
  }))
  return { lines, sure }
}

/**
 * The image of each step, where it has one, from the rows of a history of Docker: the classic builder leaves one a step.
 * Podman's rows name images that merely have the same layers; there `chain` is right: the image, its parent, and so on.
 */
export function stepImages(
  kind: 'docker' | 'podman',
  rows: readonly EngineHistoryRow[],
  chain: readonly Digest[],
): (Digest | null)[] {
  if (kind === 'docker') return rows.map(row => row.imageId)
  return rows.map((_, at) => chain[rows.length - 1 - at] ?? null)
}

/** An image, its parent, that one's parent, …, as the list of all images (the intermediate ones too) tells. */
export function ancestry(id: Digest, images: readonly EngineImage[]): Digest[] {
  const parents = new Map(images.map(image => [image.id, image.parent]))
  const chain = new Set<Digest>()
  for (let at: Digest | null | undefined = id; at && !chain.has(at) && chain.size < 10_000; at = parents.get(at))
    chain.add(at)
  return [...chain]
}

/** Whether the row owns a layer, from the layers of its image and of the one below; null when that is not known. */
function known(layersAt: readonly (number | null)[], at: number): boolean | null {
  const here = layersAt[at] ?? null
  const below = at === 0 ? 0 : (layersAt[at - 1] ?? null)
  return here === null || below === null ? null : here > below
}

/** How likely a row without bytes owns a layer: 0 it may well, 1 if its directory was new, 2 hardly. */
function rankOf({ createdBy, comment }: EngineHistoryRow): 0 | 1 | 2 {
  const { keyword } = parseInstruction(createdBy, comment)
  if (keyword === 'WORKDIR') return 1
  return keyword === null || keyword === 'RUN' || keyword === 'COPY' || keyword === 'ADD' ? 0 : 2
}

function isBuildKit({ createdBy, comment }: EngineHistoryRow): boolean {
  return parseInstruction(createdBy, comment).spelling === 'buildkit'
}

function timeOf(seconds: number): string | null {
  const time = new Date(seconds * 1000)
  return Number.isNaN(time.getTime()) ? null : time.toISOString().replace('.000Z', 'Z')
}
