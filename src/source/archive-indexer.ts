/**
 * An archive that passes by once, in chunks of its plain tar. What its files are is told by their content, because the
 * metadata may come last: what looks like JSON is kept, bounded; what is a tar or compressed is indexed on the fly with
 * digest, diffID and contents' CRC-32; of anything else only the digest is taken.
 */
import { createHash, type Hash } from 'node:crypto'
import { Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import { type Entry, Kind } from '../layer/entry.ts'
import type { IndexBuilder } from '../layer/index-builder.ts'
import { TarScanner } from '../layer/tar-scanner.ts'
import { canonicalName, linkTarget, MAX_FILES, nameText } from './folder.ts'
import { type IndexedLayer, LayerSink, openLayer } from './index-region.ts'
import { limits } from './read-stored.ts'
import { compressionOf, looksLikeJson, looksLikeTar, SNIFF_BYTES } from './sniff.ts'
import type { Failure, StreamItem } from './stream-items.ts'

/** All JSON of one archive together. */
const MAX_JSON = 256 << 20

export interface ArchiveIndexer {
  /** Takes the next bytes of the plain tar. A promise where a decoder works off the thread. @throws Fault */
  push(chunk: Uint8Array): void | Promise<void>
  /** @throws Fault when the archive is truncated. */
  end(): Promise<void>
  /** Whether the end of the archive has been seen. */
  readonly done: boolean
}

export function archiveIndexer(name: string, tell: (item: StreamItem) => void): ArchiveIndexer {
  let file: FileReader | null = null
  let files = 0
  let jsonLeft = MAX_JSON
  /** Work of decoders that do not block; what follows waits for it, in order. */
  let slow: Promise<void> | null = null

  const scanner: TarScanner = new TarScanner(
    {
      entry(entry) {
        if (++files > MAX_FILES)
          throw new Fault(`${name} holds more than ${MAX_FILES} files: it is no archive of images.`)
        const path = canonicalName(nameText(entry.path))
        if (entry.kind === Kind.file) file = openFile(path, scanner.bodyOffset, scanner.bodySize)
        else tellLink(entry, path)
      },
      body(chunk, start, end) {
        take(() => file!.push(chunk.subarray(start, end)), chunk, start, end)
      },
      bodyEnd() {
        const ended = file!
        file = null
        const finish = async () => tell(await ended.end())
        slow = slow === null ? finish() : slow.then(finish)
      },
    },
    { name },
  )

  function tellLink(entry: Entry, path: string): void {
    if (entry.link === null) return
    const target = nameText(entry.link)
    tell({ type: 'link', path, target: entry.kind === Kind.symlink ? linkTarget(path, target) : canonicalName(target) })
  }

  function openFile(path: string, offset: number, size: number): FileReader {
    return readFile(
      `${safe(path)} of ${name}`,
      { path, offset, size, keep: Math.min(limits.config, jsonLeft) },
      kept => {
        jsonLeft -= kept
      },
    )
  }

  /** Runs a step now, or in its turn with a copy of the bytes when an earlier one has not finished. */
  function take(step: () => void | Promise<void>, chunk: Uint8Array, start: number, end: number): void {
    if (slow === null) {
      slow = step() ?? null
      return
    }
    const copy = chunk.slice(start, end)
    const reader = file!
    slow = slow.then(() => reader.push(copy))
  }

  return {
    push(chunk) {
      scanner.push(chunk)
      if (slow === null) return
      return slow.finally(() => {
        slow = null
      })
    },
    async end() {
      await slow
      try {
        scanner.end()
      } catch (error) {
        // The file in which the archive breaks off is told as far as it came.
        if (file !== null) tell(await file.breakOff(error))
        throw error
      }
    },
    get done() {
      return scanner.done
    },
  }
}

interface FileReader {
  push(bytes: Uint8Array): void | Promise<void>
  end(): Promise<StreamItem>
  breakOff(error: unknown): Promise<StreamItem>
}

interface FileFacts {
  path: string
  offset: number
  size: number
  /** Bytes of JSON that may be kept. */
  keep: number
}

/** Reads one file of the archive: gathers its first bytes, decides what it is, goes on accordingly. */
function readFile(name: string, { path, offset, size, keep }: FileFacts, onKept: (bytes: number) => void): FileReader {
  const head = new Uint8Array(Math.min(SNIFF_BYTES, size))
  let filled = 0
  let content: Uint8Array | null = null
  let contentFilled = 0
  let layer: ReturnType<typeof openLayer> | null = null
  let builder: IndexBuilder | null = null
  let indexed: IndexedLayer | null = null
  let fault: Failure | null = null
  let hash: Hash | null = null

  function decide(): void | Promise<void> {
    const compression = compressionOf(head)
    if (compression !== 'none' || looksLikeTar(head)) {
      const sink = new LayerSink({ name, hash: true, layer: null })
      builder = sink
      layer = openLayer(compression, sink, name)
      return pushLayer(head)
    }
    hash = createHash('sha256')
    if (looksLikeJson(head) && size <= keep) {
      content = new Uint8Array(size)
      onKept(size)
    }
    pushOther(head)
  }

  function pushOther(bytes: Uint8Array): void {
    hash!.update(bytes)
    content?.set(bytes, contentFilled)
    contentFilled += bytes.length
  }

  /** What is no whole layer is noted, and the archive read on. */
  function pushLayer(bytes: Uint8Array): void | Promise<void> {
    if (fault !== null) return
    try {
      return layer!.push(bytes)?.catch(fail)
    } catch (error) {
      fail(error)
    }
  }

  function fail(error: unknown): void {
    layer?.close()
    const { message, hint, exitCode } =
      error instanceof Fault ? error : new Fault(`${name} can not be read: ${String(error)}.`)
    fault = { message, hint, exitCode, partial: builder?.finish({ tarBytes: 0, diffId: null }) ?? null }
  }

  function item(digest: string): StreamItem {
    return { type: 'file', path, size, offset, digest, content: fault === null ? content : null, layer: indexed, fault }
  }

  return {
    push(bytes) {
      if (filled < head.length) {
        const taken = Math.min(head.length - filled, bytes.length)
        head.set(bytes.subarray(0, taken), filled)
        filled += taken
        if (filled < head.length) return
        const deciding = decide()
        const rest = bytes.subarray(taken)
        if (deciding === undefined || rest.length === 0) return deciding ?? this.push(rest)
        const copy = rest.slice()
        return deciding.then(() => this.push(copy))
      }
      if (layer !== null) return pushLayer(bytes)
      if (hash !== null) pushOther(bytes)
    },
    async end() {
      if (size === 0) return item(`sha256:${createHash('sha256').digest('hex')}`)
      if (layer === null) return item(`sha256:${hash!.digest('hex')}`)
      try {
        if (fault === null) indexed = await layer.end()
      } catch (error) {
        fail(error)
      }
      layer.close()
      return item(indexed?.digest ?? '')
    },
    async breakOff(error) {
      content = null
      if (fault === null) fail(error)
      return item('')
    },
  }
}
