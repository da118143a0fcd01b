/** Bytes as a region of a file that is gone after the test, and their index. */
import { closeSync, openSync } from 'node:fs'
import { onTestFinished } from 'vitest'
import type { Control } from '../../../src/source/cancel.ts'
import { type IndexedLayer, indexRegion } from '../../../src/source/index-region.ts'
import type { Region } from '../../../src/source/region.ts'
import { scratch } from '../../harness/scratch.ts'

export const quiet: Control = { check() {}, progress() {} }

export function regionOf(bytes: Uint8Array): Region {
  const fd = openSync(scratch().put('bytes', bytes), 'r')
  onTestFinished(() => closeSync(fd))
  return { fd, start: 0, size: bytes.length }
}

/** As a layer of an image would be indexed. */
export function indexOf(bytes: Uint8Array, verify = false): Promise<IndexedLayer> {
  return indexRegion({ region: regionOf(bytes), name: 'layer 0 of x.tar', layer: 0, verify }, quiet)
}
