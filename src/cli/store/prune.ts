/** `strata prune`: frees what nobody needs. */
import { formatBytes } from '../../base/sizes.ts'
import { safe } from '../../base/text.ts'
import { shortDigest } from '../../image/digest.ts'
import { prune as pruneStore } from '../../runtime/store/remove.ts'
import { writeJsonLines } from '../json.ts'
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { ownStore } from './own.ts'

export async function prune(io: Io, _: string[], options: Options): Promise<number> {
  const dryRun = options.dryRun === true
  const { images, things, bytes } = await pruneStore(ownStore('prune', options), { all: options.all === true, dryRun })
  if (options.json) {
    const rows = things.map(({ kind, digest, bytes }) => ({ kind, digest, bytes }))
    await writeJsonLines(io.out, [{ dryRun, bytes, images, things: rows }])
    return 0
  }
  const verb = dryRun ? 'Would delete' : 'Deleted'
  for (const { id, names } of images) {
    for (const name of names) await io.out.write(`${dryRun ? 'Would untag' : 'Untagged'}: ${safe(name)}\n`)
    await io.out.write(`${verb}: ${id}\n`)
  }
  for (const { kind, digest, bytes } of things)
    await io.out.write(
      `${verb} ${kind === 'blob' ? 'blob' : 'unpacked layer'} ${shortDigest(digest)}: ${formatBytes(bytes)}\n`,
    )
  await io.out.write(`${dryRun ? 'Space that would be freed' : 'Space freed'}: ${formatBytes(bytes)}\n`)
  return 0
}
