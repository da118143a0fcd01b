/** How much room volumes take. */
import { bytesOf } from '../containers/upper-bytes.ts'
import { helperLines } from '../helper.ts'
import type { Volume } from './volume.ts'

export interface VolumeUsage {
  volume: Volume
  /** Bytes of its files; null where even the helper may not look. */
  bytes: number | null
}

/** Looks at every file of them: for who asks for sizes. */
export async function volumeUsage(volumes: readonly Volume[], signal?: AbortSignal): Promise<VolumeUsage[]> {
  const usage: VolumeUsage[] = []
  for (const volume of volumes) {
    signal?.throwIfAborted()
    usage.push({ volume, bytes: bytesOf(volume.path) ?? (await bytesForUs(volume.path, signal)) })
  }
  return usage
}

/** Directories of a user whom only the helper may act for. A file with two names counts twice here. */
async function bytesForUs(path: string, signal: AbortSignal | undefined): Promise<number | null> {
  let bytes = 0
  try {
    for await (const line of helperLines(['diff', '--user-marks', path], { signal })) {
      const { type, size } = line as { type?: unknown; size?: unknown }
      if (type !== 'dir' && typeof size === 'number') bytes += size
    }
    return bytes
  } catch {
    signal?.throwIfAborted()
    return null
  }
}
