/**
 * What a container has changed as a tar that is a layer: whiteouts as the OCI image specification has them ("Image Layer
 * Filesystem Changeset"). The helper packs the upper directory where it can be read; where it can not, the engine is asked
 * what differs and for each of those paths.
 */
import type { Readable } from 'node:stream'
import { extract, type Header, pack } from 'tar-stream'
import { isAbort, reasonOf } from '../base/errors.ts'
import { compareBytes } from '../base/paths.ts'
import { packUpper } from '../runtime/pack.ts'
import { readUpper } from '../runtime/read-upper.ts'
import type { LiveChange } from '../runtime/upper-watch.ts'
import type { Change, ContainerEngine, ContainerFacts, Containers } from './containers.ts'
import { followContainer, upperPlace } from './live-container.ts'

export interface ExportedLayer {
  /** The tar. To be read to its end, or aborted. */
  chunks: AsyncIterable<Uint8Array>
  /** The engine was asked for each path. */
  asked: boolean
}

/** The tar of nothing: two blocks of zeros. */
const EMPTY = new Uint8Array(1024)

async function* nothing(): AsyncGenerator<Uint8Array> {
  yield EMPTY
}

/** Rejects with a Fault, as does reading what it gives. */
export async function exportLayer(engine: ContainerEngine, id: string, signal: AbortSignal): Promise<ExportedLayer> {
  const facts = await engine.containers.inspect(id, { signal })
  const place = upperPlace(engine, facts)
  if (place) return { chunks: (await packUpper(place.upper, place.lower, signal)) ?? nothing(), asked: false }
  const changes = await engine.containers.changes(facts.id, { signal })
  return { chunks: askedLayer(engine.containers, facts, changes, signal), asked: true }
}

/** Bigger files are not read for what they say of packages. */
const BOOK_BYTES = 16 << 20

/** What is changed now, with what is needed to say it in a Dockerfile. Rejects with a Fault. */
export async function describeChanges(engine: ContainerEngine, id: string, signal: AbortSignal) {
  const facts = await engine.containers.inspect(id, { signal })
  const place = upperPlace(engine, facts)
  const enough = new AbortController()
  let changes: LiveChange[] = []
  for await (const batch of followContainer(engine, id, AbortSignal.any([signal, enough.signal]))) {
    changes = changes.concat(batch.changes)
    if (!batch.part) enough.abort()
  }
  signal.throwIfAborted()
  const sizes = new Map(changes.map(one => [Buffer.from(one.path).toString('latin1'), one.size]))
  const read = async (path: string): Promise<string | null> => {
    if (place === null || (sizes.get(path) ?? BOOK_BYTES + 1) > BOOK_BYTES) return null
    try {
      const chunks: Uint8Array[] = []
      const options = { end: BOOK_BYTES, signal }
      for await (const chunk of readUpper(place.upper, Buffer.from(path, 'latin1'), options)) chunks.push(chunk)
      return Buffer.concat(chunks).toString()
    } catch (error) {
      // It went meanwhile.
      if (isAbort(error)) throw error
      return null
    }
  }
  return { changes, container: facts.name, image: facts.image, watched: place !== null, read }
}

/** A directory comes before what is in it; what lies in an added one comes with it. */
async function* askedLayer(
  containers: Containers,
  facts: ContainerFacts,
  changes: readonly Change[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const sorted = [...changes].sort((a, b) => compareBytes(Buffer.from(a.path), Buffer.from(b.path)))
  const known = new Set(changes.filter(({ change }) => change !== 'D').map(({ path }) => path))
  // Of a volume that is mounted in an added directory the engine would send all that is in it.
  const mounted = facts.mounts.map(({ destination }) => `${destination.replace(/\/+$/, '')}/`)
  const tar = pack()
  const write = async () => {
    let whole: string | null = null
    for (const { change, path } of sorted) {
      signal.throwIfAborted()
      if (whole !== null && path.startsWith(whole)) continue
      if (change === 'D') {
        const slash = path.lastIndexOf('/')
        const name = `${path.slice(1, slash + 1)}.wh.${path.slice(slash + 1)}`
        tar.entry({ name, mode: 0o644, mtime: new Date(0) }, '')
        continue
      }
      const stream = await containers.copyOut(facts.id, path, { signal }).catch(error => {
        // It went meanwhile: the container runs.
        if (isAbort(error) || !/no such|not find|not exist/i.test(reasonOf(error))) throw error
        return null
      })
      if (!stream) continue
      const isDirectory = await take(tar, stream, path, change === 'A', inner => {
        return !mounted.some(mount => `/${inner}`.startsWith(mount)) && (change === 'C' || known.has(`/${inner}`))
      })
      if (isDirectory && change === 'A') whole = `${path}/`
    }
    tar.finalize()
  }
  write().catch(error => tar.destroy(error as Error))
  for await (const chunk of tar as unknown as Readable) yield chunk as Uint8Array
}

/** The entries of a path's tar under their own names; of a directory that was there before only itself. */
async function take(
  tar: ReturnType<typeof pack>,
  stream: Readable,
  path: string,
  whole: boolean,
  wanted: (name: string) => boolean,
): Promise<boolean> {
  const entries = extract()
  const above = path.slice(1, path.lastIndexOf('/') + 1)
  let directory = false
  let first = true
  stream.on('error', error => entries.destroy(error))
  stream.pipe(entries)
  for await (const entry of entries) {
    const header = entry.header as Header & { pax?: Record<string, string> | null }
    const name = above + header.name.replace(/\/+$/, '')
    if (first) directory = header.type === 'directory'
    if (first || wanted(name)) {
      const linkname = header.type === 'link' && header.linkname ? above + header.linkname : header.linkname
      const pax = attributesOf(header.pax)
      // tar-stream takes no mode for none said; what is above the twelve bits is cut off later.
      const mode = header.mode || 1 << 16
      const own = { ...header, mode, name: directory && first ? `${name}/` : name, linkname, pax }
      await new Promise<void>((resolve, reject) => {
        const sink = tar.entry(own as Header, error => (error ? reject(error) : resolve()))
        if (header.size > 0) (entry as unknown as Readable).pipe(sink as unknown as NodeJS.WritableStream)
        else (sink as unknown as NodeJS.WritableStream).end()
      })
    }
    entry.resume()
    first = false
    if (!whole || !directory) break
  }
  stream.destroy()
  entries.destroy()
  return directory
}

/** Extended attributes; one whose value is no text would come out as another one. */
function attributesOf(pax: Record<string, string> | null | undefined): Record<string, string> | null {
  const found = Object.entries(pax ?? {}).filter(
    ([key, value]) => key.startsWith('SCHILY.xattr.') && !String(value).includes('\ufffd'),
  )
  return found.length > 0 ? Object.fromEntries(found) : null
}
