/**
 * `sample`: an image made on the spot from the machine's own shell, for a first look without engine and network. Its
 * layers are real ones, can be run, and tell the story of sample-story.ts. It is kept in the cache as one archive that
 * Docker, Podman and Strata all open, and is then opened like any other archive.
 */
import { Buffer } from 'node:buffer'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pack } from 'tar-stream'
import { Fault, reasonOf } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import { findShell } from './sample-shell.ts'
import { type StoryEntry, type StoryStep, story, storyConfig } from './sample-story.ts'

/** Changes with everything in here and in the story: a kept archive of another version is not used. */
const VERSION = 1
const CREATED = Date.UTC(2026, 0, 15, 9, 0, 0)
const oci = 'application/vnd.oci.image'

/**
 * The path of the sample's archive in a folder (made when it is missing); it is written when it is not there yet.
 * The same shell gives the same bytes.
 */
export async function sampleArchive(folder: string): Promise<string> {
  const shell = findShell()
  const key = createHash('sha256').update(`${VERSION}`)
  for (const [path, bytes] of shell.files) key.update(`${path}\0`).update(bytes)
  const path = join(folder, `sample-${key.digest('hex').slice(0, 16)}.tar`)
  if (existsSync(path)) return path
  const archive = await buildSample(story(shell))
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    writeWhole(path, archive)
  } catch (error) {
    throw new Fault(`The sample can not be written into ${safe(folder)}: ${reasonOf(error)}.`, {
      hint: 'Set XDG_CACHE_HOME to a folder with room.',
      cause: error,
    })
  }
  return path
}

/** Under another name first: nobody opens half of it. */
function writeWhole(path: string, archive: Uint8Array): void {
  const unfinished = `${path}.${randomBytes(6).toString('hex')}`
  try {
    writeFileSync(unfinished, archive, { flag: 'wx' })
    renameSync(unfinished, path)
  } finally {
    rmSync(unfinished, { force: true })
  }
}

/** The archive of a story: OCI layout and manifest.json side by side, as Docker 25 and later save images. */
export async function buildSample(steps: readonly StoryStep[]): Promise<Uint8Array> {
  const layers = await Promise.all(steps.flatMap(step => (step.entries ? [layerTar(step.entries)] : [])))
  const config = json({
    created: time(steps.length),
    architecture: architecture(),
    os: 'linux',
    config: storyConfig,
    rootfs: { type: 'layers', diff_ids: layers.map(digest) },
    history: steps.map((step, at) => ({
      created: time(at),
      created_by: step.createdBy,
      comment: 'buildkit.dockerfile.v0',
      ...(step.entries ? {} : { empty_layer: true }),
    })),
  })
  const manifest = json({
    schemaVersion: 2,
    mediaType: `${oci}.manifest.v1+json`,
    config: descriptor(config, `${oci}.config.v1+json`),
    layers: layers.map(layer => descriptor(layer, `${oci}.layer.v1.tar`)),
  })
  const index = {
    ...descriptor(manifest, `${oci}.manifest.v1+json`),
    annotations: {
      'io.containerd.image.name': 'docker.io/library/sample:latest',
      'org.opencontainers.image.ref.name': 'latest',
    },
  }
  const files: StoryEntry[] = [config, manifest, ...layers].map(blob => ({ path: blobPath(blob), content: blob }))
  files.sort((a, b) => (a.path < b.path ? -1 : 1))
  files.push(
    { path: 'index.json', content: json({ schemaVersion: 2, mediaType: `${oci}.index.v1+json`, manifests: [index] }) },
    {
      path: 'manifest.json',
      content: json([{ Config: blobPath(config), RepoTags: ['sample:latest'], Layers: layers.map(blobPath) }]),
    },
    { path: 'oci-layout', content: json({ imageLayoutVersion: '1.0.0' }) },
  )
  return layerTar(files)
}

/** Entries as a tar, in their order. */
async function layerTar(entries: readonly StoryEntry[]): Promise<Uint8Array> {
  const tar = pack()
  for (const entry of entries) {
    const common = { name: entry.path, uid: entry.owner ?? 0, gid: entry.owner ?? 0, mtime: new Date(CREATED) }
    if (entry.content === null) tar.entry({ ...common, type: 'directory', mode: entry.mode ?? 0o755 })
    else if (typeof entry.content === 'string') {
      tar.entry({ ...common, type: 'symlink', linkname: entry.content.slice(3), mode: 0o777 })
    } else tar.entry({ ...common, mode: entry.mode ?? 0o644 }, Buffer.from(entry.content))
  }
  tar.finalize()
  const chunks: Uint8Array[] = []
  for await (const chunk of tar) chunks.push(chunk as Uint8Array)
  return Buffer.concat(chunks)
}

function architecture(): string {
  return { x64: 'amd64', ia32: '386' }[process.arch as string] ?? process.arch
}

/** A minute for each step, so that the steps stand in order. */
function time(step: number): string {
  return new Date(CREATED + step * 60_000).toISOString()
}

function descriptor(blob: Uint8Array, mediaType: string): { mediaType: string; digest: string; size: number } {
  return { mediaType, digest: digest(blob), size: blob.length }
}

function blobPath(blob: Uint8Array): string {
  return `blobs/sha256/${digest(blob).slice('sha256:'.length)}`
}

function digest(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}
