/**
 * The img-* corpora: each archive or layout opened as a person would, its layers indexed and stacked, and everything
 * that the reference programs agree on compared: format, names, layers, what each changes, dive's numbers, the rootfs.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { changes } from '../../src/layer/changes.ts'
import { diveScore } from '../../src/layer/dive.ts'
import { Kind, kindNames } from '../../src/layer/entry.ts'
import type { LayerIndex } from '../../src/layer/layer-index.ts'
import { Stack } from '../../src/layer/stack.ts'
import { openImage } from '../../src/source/open.ts'
import type { BrokenLayer, Image } from '../../src/source/types.ts'
import { compare, type Report } from './report.ts'
import { clearError } from './tars.ts'

interface ExpectedFile {
  file: string
  verdict: 'ok' | 'partial' | 'clear-error' | 'not-an-image'
  format: string[]
  features: string[]
  images: ExpectedImage[]
}

interface ExpectedImage {
  /** Docker: all names; OCI: the tag; null: none. */
  ref: string[] | string | null
  /** Docker: the name of the config in the archive. */
  config?: string
  /** OCI: the manifest's. */
  digest?: string
  layers: ExpectedLayer[]
  dive: {
    efficiency: number
    sizeBytes: number
    userSizeBytes: number
    wastedBytes: number
    wastedUserPercent: number | null
    inefficiencies: [bytes: number, count: number, path: string][]
  }
  stored_bytes: number
  final_bytes: number
  plain_waste: number
  rootfs_entries: number
  rootfs_sha256: string
  rootfs?: string[]
  diffid_mismatch?: unknown
  history: number
  history_nonempty: number
  platform: string
}

interface ExpectedLayer {
  compression: string
  blob_bytes: number
  blob_sha256: string
  diff_id: string
  tar_bytes: number
  tar_error?: string
  entries: number
  size_sum: number
  added: number
  modified: number
  deleted: number
  changes_sha256: string
  changes?: [letter: string, path: string][]
}

/** Checks every file of one corpus. */
export async function checkImages(
  folder: string,
  expected: ExpectedFile[],
  report: Report,
  name: string,
): Promise<void> {
  for (const file of expected) {
    const path = join(folder, file.file)
    const label = `${name}/${file.file}`
    if (file.verdict === 'clear-error' || file.verdict === 'not-an-image') {
      await report.run(`${label} (${file.verdict})`, () => refused(path))
    } else if (file.images.length === 0) {
      await report.run(`${label} (${file.verdict}, no image)`, () => openedOrRefused(path))
    }
    if (file.verdict !== 'ok' && file.verdict !== 'partial') continue
    for (let at = 0; at < file.images.length; at++) {
      await report.run(`${label} image ${at} (${file.verdict})`, () => opened(path, file, at))
    }
  }
}

/** An archive with several images is asked for each of them; with one, as a person would name it: by its path. */
function referenceOf(path: string, { format, images }: ExpectedFile, at: number): string {
  if (images.length === 1) return path
  if (!format.includes('oci-layout')) return `docker-archive:${path}:@${at}`
  const { ref, digest } = images[at]
  const sole = ref && images.filter(image => image.ref === ref).length === 1
  return `${statSync(path).isDirectory() ? 'oci' : 'oci-archive'}:${path}:${sole ? ref : digest}`
}

async function refused(path: string): Promise<string[]> {
  let image: Image
  try {
    image = await openImage(path, { cache: false })
  } catch (error) {
    return clearError(error)
  }
  try {
    const { errors } = await readLayers(image)
    return errors.length === 0 ? ['it was opened and read without an error'] : errors.flatMap(clearError)
  } finally {
    await image.close()
  }
}

async function openedOrRefused(path: string): Promise<string[]> {
  try {
    await (await openImage(path, { cache: false })).close()
    return []
  } catch (error) {
    return clearError(error)
  }
}

async function opened(path: string, file: ExpectedFile, at: number): Promise<string[]> {
  const wanted = file.images[at]
  const image = await openImage(referenceOf(path, file, at), { cache: false })
  try {
    const { indexes, errors } = await readLayers(image)
    const broken = wanted.layers.filter(isBroken).length
    if (errors.length !== broken) return [`${errors.length} layers could not be read, not ${broken}: ${errors}`]
    if (broken > 0) return [...errors.flatMap(clearError), ...sameFacts(image, path, file, wanted)]
    const stack = new Stack()
    for (const index of indexes) stack.push(index)
    return [
      ...sameFacts(image, path, file, wanted),
      ...wanted.layers.flatMap((layer, at) => sameLayer(stack, image, indexes[at], layer, at)),
      ...sameDive(stack, wanted.dive),
      ...sameStack(stack, wanted, file.features),
      ...(wanted.diffid_mismatch ? mismatchTold(image, indexes) : []),
    ]
  } finally {
    await image.close()
  }
}

/** A layer that the reference programs could not read to its end, or at all. */
function isBroken(layer: ExpectedLayer): boolean {
  return layer.tar_error !== undefined || layer.entries === undefined
}

/** The index of every layer; of a broken one what could be read of it. */
async function readLayers(image: Image): Promise<{ indexes: LayerIndex[]; errors: unknown[] }> {
  const indexes: LayerIndex[] = []
  const errors: unknown[] = []
  for (const { index } of image.layers) {
    try {
      indexes.push(await image.indexLayer(index))
    } catch (error) {
      errors.push(error)
      const { partial } = error as Partial<BrokenLayer>
      if (partial) indexes.push(partial)
    }
  }
  return { indexes, errors }
}

function sameFacts(image: Image, path: string, file: ExpectedFile, wanted: ExpectedImage): string[] {
  const formats = image.source === 'oci-archive' || image.source === 'oci' ? 'oci-layout' : image.source
  const named = (name: string) => image.names.some(own => own === name || own.endsWith(`:${name}`))
  const missing = [wanted.ref ?? []].flat().filter(name => name && !named(name))
  const { os, architecture } = image.platform
  const platform = os === '' && architecture === '' ? '' : `${os}/${architecture}`
  return [
    ...(file.format.includes(formats) ? [] : [`format: expected ${file.format}, found ${image.source}`]),
    ...(missing.length > 0 ? [`names: ${missing} not among ${image.names}`] : []),
    ...(wanted.config ? compare('image id', configDigest(path, wanted.config), image.id) : []),
    ...(wanted.digest ? compare('manifest digest', wanted.digest, image.digest) : []),
    ...compare('layers', wanted.layers.length, image.layers.length),
    ...compare('history lines', wanted.history, image.config.history.length),
    ...compare(
      'history lines with a layer',
      wanted.history_nonempty,
      image.config.history.filter(line => !line.emptyLayer).length,
    ),
    ...(wanted.platform === '' || wanted.platform.startsWith(platform)
      ? []
      : compare('platform', wanted.platform, platform)),
  ]
}

/** Some writers name the config after something else than its digest: what it is, GNU tar says. */
function configDigest(path: string, name: string): string {
  const config = execFileSync('tar', ['-xOf', path, name], { maxBuffer: 64 << 20 })
  return `sha256:${createHash('sha256').update(config).digest('hex')}`
}

function sameLayer(
  stack: Stack,
  image: Image,
  index: LayerIndex | undefined,
  wanted: ExpectedLayer,
  at: number,
): string[] {
  if (!index) return [`layer ${at} is missing`]
  const info = image.layers[at]
  const set = changes(stack, at, at)
  const lines = linesOf(stack, set.nodes, node => `${set.letter(node)} `)
  return [
    ...(index.diffId === null ? [] : compare(`layer ${at}: diffID of the bytes`, wanted.diff_id, index.diffId)),
    ...(info.digest === null
      ? []
      : compare(`layer ${at}: digest of the blob`, `sha256:${wanted.blob_sha256}`, info.digest)),
    ...(info.compressed === null ? [] : compare(`layer ${at}: compressed bytes`, wanted.blob_bytes, info.compressed)),
    ...compare(`layer ${at}: compressed`, wanted.compression !== 'none', info.compressed !== null),
    ...compare(`layer ${at}: tar bytes`, wanted.tar_bytes, index.tarBytes),
    ...compare(`layer ${at}: entries`, wanted.entries, index.entries),
    ...compare(`layer ${at}: stored bytes`, wanted.size_sum, index.stored),
    ...(wanted.changes
      ? compare(
          `layer ${at}: changes`,
          wanted.changes.map(change => change.join(' ')),
          texts(lines),
        )
      : []),
    ...compare(`layer ${at}: A C D`, [wanted.added, wanted.modified, wanted.deleted], countsOf(lines)),
    ...compare(`layer ${at}: hash of the changes`, wanted.changes_sha256, sha256(lines)),
  ]
}

function sameDive(stack: Stack, wanted: ExpectedImage['dive']): string[] {
  const score = diveScore(stack)
  const sizes = stack.layers.map(index => index.stored)
  const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0)
  const files = score.files.map(({ bytes, count, path }) => `${bytes} ${count} /${Buffer.from(path).toString()}`)
  return [
    ...(Math.abs(score.efficiency - wanted.efficiency) < 1e-9
      ? []
      : compare('dive efficiency', wanted.efficiency, score.efficiency)),
    ...compare('dive wasted', wanted.wastedBytes, score.wastedBytes),
    ...compare('dive size', [wanted.sizeBytes, wanted.userSizeBytes], [sum(sizes), sum(sizes.slice(1))]),
    ...compare('dive wasted of user bytes', rounded(wanted.wastedUserPercent), rounded(score.userWastedPercent)),
    ...compare('dive files', wanted.inefficiencies.map(file => file.join(' ')).sort(), files.sort()),
  ]
}

function sameStack(stack: Stack, wanted: ExpectedImage, features: string[]): string[] {
  const { current } = stack.view(stack.layers.length - 1)
  const nodes = current.keys().filter(node => node > 0 && current[node] !== -1)
  const lines = linesOf(
    stack,
    nodes,
    node => `${attributesOf(stack, current[node])} `,
    node => linkOf(stack, current[node]),
  )
  const plain = current.reduce(
    (sum, ref) => (ref >= 0 && stack.kindOf(ref) === Kind.file ? sum + stack.sizeOf(ref) : sum),
    0,
  )
  const rows = stack.waste.reduce((sum, row) => sum + row.bytes, 0)
  // Without hard links the plain count of the final files is the visible bytes; with them more may be reachable.
  const exact = !features.includes('hardlink')
  return [
    ...compare('stored bytes', wanted.stored_bytes, stack.stored),
    ...compare('final bytes', wanted.final_bytes, plain),
    ...compare('plain waste', wanted.plain_waste, stack.stored - plain),
    ...compare('the ledger adds up', stack.stored - stack.visible, rows),
    ...(exact ? compare('visible bytes', wanted.final_bytes, stack.visible) : []),
    ...(stack.visible < plain
      ? [`visible bytes ${stack.visible} are less than those of the final files ${plain}`]
      : []),
    ...compare('rootfs entries', wanted.rootfs_entries, lines.length),
    ...(wanted.rootfs ? compare('rootfs', wanted.rootfs, texts(lines)) : []),
    ...compare('hash of the rootfs', wanted.rootfs_sha256, sha256(lines)),
  ]
}

/** A lying diffID has to be told: in the image's anomalies or with the index. */
function mismatchTold(image: Image, indexes: readonly LayerIndex[]): string[] {
  const kinds = [...image.anomalies, ...indexes.flatMap(index => index.anomalies)].map(anomaly => anomaly.kind)
  const differ = indexes.some((index, at) => index.diffId !== null && index.diffId !== image.layers[at].diffId)
  return kinds.some(kind => kind.includes('mismatch')) || differ ? [] : ['nothing says that the diffIDs do not fit']
}

/** Lines in order of path, as bytes: names need not be UTF-8. */
function linesOf(
  stack: Stack,
  nodes: Iterable<number>,
  before: (node: number) => string,
  after: (node: number) => Uint8Array = () => new Uint8Array(0),
): Buffer[] {
  const found = [...nodes].filter(node => node !== 0).map(node => ({ node, path: Buffer.from(stack.tree.path(node)) }))
  found.sort((a, b) => Buffer.compare(a.path, b.path))
  return found.map(({ node, path }) => Buffer.concat([Buffer.from(before(node)), path, after(node)]))
}

function attributesOf(stack: Stack, ref: number): string {
  if (ref < 0) return 'dir 0755 0:0 0'
  const inode = stack.inodeOf(ref)
  const entry = stack.entry(inode < 0 ? ref : inode)
  // A symbolic link has no mode of its own: whatever the tar says, a file system shows 0777.
  const mode = entry.kind === Kind.symlink ? '0777' : entry.mode.toString(8).padStart(4, '0')
  return `${kindNames[entry.kind]} ${mode} ${entry.uid}:${entry.gid} ${entry.kind === Kind.file ? entry.size : 0}`
}

function linkOf(stack: Stack, ref: number): Uint8Array {
  const entry = ref < 0 ? null : stack.entry(ref)
  return entry?.kind === Kind.symlink
    ? Buffer.concat([Buffer.from(' -> '), entry.link as Uint8Array])
    : new Uint8Array(0)
}

function texts(lines: readonly Buffer[]): string[] {
  return lines.map(line => line.toString())
}

function countsOf(lines: readonly Buffer[]): number[] {
  return ['A', 'C', 'D'].map(letter => lines.filter(line => line.toString('latin1', 0, 1) === letter).length)
}

function sha256(lines: readonly Buffer[]): string {
  const hash = createHash('sha256')
  lines.forEach((line, at) => {
    hash.update(at === 0 ? line : Buffer.concat([Buffer.from('\n'), line]))
  })
  return hash.digest('hex')
}

function rounded(number: number | null): number | null {
  return number === null || !Number.isFinite(number) ? null : Math.round(number * 1e9) / 1e9
}
