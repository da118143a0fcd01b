/** What a reference is in the address of a manifest. Pure. */
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import { isDigest } from '../../image/is-digest.ts'

/** A tag or a digest as a part of a path. @throws Fault for what is neither: it might lead elsewhere. */
export function partOf(reference: string): string {
  if (isDigest(reference) || /^\w[\w.-]{0,127}$/.test(reference)) return reference
  throw new Fault(`“${safe(reference)}” is no tag and no digest.`, { exitCode: 2 })
}
