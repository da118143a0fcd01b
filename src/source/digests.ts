/**
 * The digests of a layer that passes by: of the blob as it is stored, and of the tar in it. One digest alone mostly waits
 * for itself, so the addon makes both at once; without it `node:crypto` makes one after the other.
 */
import { createHash } from 'node:crypto'
import type { Digest } from '../image/types.ts'
import { type NativeInflate, type NativeSha256, nativeInflate } from './native-inflate.ts'

export interface LayerDigests {
  /** A piece of the blob, before what it holds; it must stay as it is until `settle`. */
  blob(chunk: Uint8Array): void
  /** A piece of the tar. */
  tar(chunk: Uint8Array): void
  /** All that the last piece of the blob held has been told. */
  settle(): void
  /** Both digests; the same where there is no blob around the tar. */
  end(): { blob: Digest; tar: Digest }
}

/** `wrapped`: the tar comes in a blob. Otherwise `blob` is never called. `addon` null: do without it. */
export function layerDigests(wrapped: boolean, addon: NativeInflate | null = nativeInflate()): LayerDigests {
  return addon?.sha256 === undefined ? oneByOne(wrapped) : bothAtOnce(wrapped, addon.sha256)
}

function oneByOne(wrapped: boolean): LayerDigests {
  const ofTar = createHash('sha256')
  const ofBlob = wrapped ? createHash('sha256') : null
  return {
    blob: chunk => void ofBlob?.update(chunk),
    tar: chunk => void ofTar.update(chunk),
    settle() {},
    end() {
      const tar: Digest = `sha256:${ofTar.digest('hex')}`
      return { tar, blob: ofBlob === null ? tar : `sha256:${ofBlob.digest('hex')}` }
    },
  }
}

const nothing: Uint8Array = new Uint8Array(0)

function bothAtOnce(wrapped: boolean, sha256: NativeSha256): LayerDigests {
  const ofTar = new Uint8Array(sha256.bytes)
  const ofBlob = new Uint8Array(sha256.bytes)
  let waiting = nothing
  let at = 0
  const settle = () => {
    if (at < waiting.length) sha256.add(ofBlob, waiting, at, waiting.length)
    waiting = nothing
    at = 0
  }
  const close = (state: Uint8Array): Digest => {
    const digest = Buffer.alloc(32)
    sha256.end(state, digest)
    return `sha256:${digest.toString('hex')}`
  }
  return {
    blob(chunk) {
      settle()
      waiting = chunk
    },
    tar(chunk) {
      const end = Math.min(at + chunk.length, waiting.length)
      sha256.addTwo(ofTar, chunk, 0, chunk.length, ofBlob, waiting, at, end)
      at = end
    },
    settle,
    end() {
      settle()
      const tar = close(ofTar)
      return { tar, blob: wrapped ? close(ofBlob) : tar }
    },
  }
}
