/**
 * Registries by the OCI distribution spec 1.1, as the rest of the program sees them: what they hand out, what they take,
 * and what of this machine and of the person they are told. `client.ts` opens one.
 */
import type { Readable } from 'node:stream'
import type { Digest } from '../../image/types.ts'

/** What a registry is reached with. `access.ts` makes it from the person's surroundings. */
export interface RegistryAccess {
  /**
   * What the person is known by at a registry; null: by nothing. `host` is as image names write it (`docker.io`,
   * `localhost:5000`); `repository` lets a narrower entry go before a wider one.
   */
  credentials(host: string, repository: string): Promise<Credentials | null>
  /** Own authorities and client certificates for a registry; null: none. */
  certificates(host: string): Promise<Certificates | null>
  /** false: TLS is not verified, and a registry on loopback may be without it. */
  tlsVerify: boolean
  userAgent: string
  /** Variables that name a proxy, as curl reads them. */
  proxy: Readonly<Record<string, string | undefined>>
  limits: Limits
  /** Told in a sentence why it takes longer: the registry asks to wait, a connection was lost. */
  tell?: ((sentence: string) => void) | undefined
}

/** Nothing of it is ever shown, logged, or sent to another host. */
export type Credentials = { username: string; password: string } | { identityToken: string }

export interface Certificates {
  ca: Buffer[]
  /** Pairs for a registry that wants to know who asks. */
  cert: Buffer | null
  key: Buffer | null
}

/** Times in milliseconds, sizes in bytes. */
export interface Limits {
  /** Until a connection stands, and until the head of an answer is there. */
  answer: number
  /** Until the next byte of a body. */
  idle: number
  /** In such a time a body has to bring at least `slowest` bytes. */
  slowest: number
  /** Until a document is whole. */
  document: number
  /** The first pause before something is tried again; each further one is twice as long. */
  pause: number
  /** The longest pause that a registry may ask for. */
  longestPause: number
  /** How often something is tried at most. */
  tries: number
  /** Of a manifest, an index, a page of a list. */
  documentBytes: number
  /** Pages and entries of a list. */
  pages: number
  entries: number
}

export const usualLimits: Limits = {
  answer: 30_000,
  idle: 30_000,
  slowest: 8 << 10,
  document: 120_000,
  pause: 500,
  longestPause: 60_000,
  tries: 4,
  documentBytes: 4 << 20,
  pages: 1000,
  entries: 100_000,
}

/** A manifest or index as it came, compared with its digest. */
export interface Manifest {
  bytes: Uint8Array
  /** Of the answer, or of the document itself; never one that the other contradicts. */
  mediaType: string
  digest: Digest
}

/** A blob, or a part of one, that is on its way. Its digest is not compared: whoever has all of it does that. */
export interface BlobStream {
  /** 206: a part, as was asked for. 200: all of it, whatever was asked for. */
  status: 200 | 206
  /** Bytes of the whole blob; null when the registry does not say. */
  size: number | null
  /** Where in the blob `body` begins. */
  from: number
  /** Fails when nothing comes for too long, or when the connection is cut. */
  body: Readable
  /** The same without a stream around it: as many chunks as have come. One or the other is read. */
  batches(): AsyncIterable<Uint8Array[]>
  /** Ends the transfer where it is. */
  close(): void
}

/** One repository of a registry. Every call throws a Fault in bounded time; none shows a secret. */
export interface Registry {
  /** As image names write it: `docker.io`, `localhost:5000`. */
  host: string
  repository: string
  /** By tag or digest; of any type. @throws Fault, `NotFound` when there is none. */
  manifest(reference: string, signal?: AbortSignal): Promise<Manifest>
  /** Whether a manifest of the digest or tag is there, and which; without reading it. */
  headManifest(reference: string, signal?: AbortSignal): Promise<{ digest: Digest | null; bytes: number | null } | null>
  /** `from` up to but without `to`; a registry may send all of it nevertheless. */
  blob(digest: Digest, options?: { from?: number; to?: number; signal?: AbortSignal | undefined }): Promise<BlobStream>
  /** A small blob whole, compared with its digest and size. */
  smallBlob(of: { digest: Digest; size: number }, most: number, what: string, signal?: AbortSignal): Promise<Uint8Array>
  /** Its size; null when it is not there. */
  headBlob(digest: Digest, signal?: AbortSignal): Promise<{ size: number | null } | null>
  /** Tags of the repository, page by page. */
  tags(signal?: AbortSignal): AsyncIterable<string>
  /** Takes a blob over from another repository of the registry; false: it has to be uploaded. */
  mountBlob(digest: Digest, from: string, signal?: AbortSignal): Promise<boolean>
  /** Sends a blob; what was cut is resumed, or sent again. `open` gives its bytes from a position on. */
  uploadBlob(blob: BlobToUpload, signal?: AbortSignal): Promise<void>
  /** Puts a manifest under a tag or digest. @throws Fault when the registry says that it has another digest. */
  putManifest(
    reference: string,
    manifest: { bytes: Uint8Array; mediaType: string },
    signal?: AbortSignal,
  ): Promise<void>
  /** Ends connections that are kept. */
  close(): void
}

export interface BlobToUpload {
  digest: Digest
  size: number
  open(from: number): AsyncIterable<Uint8Array>
  onProgress?: ((done: number) => void) | undefined
}
