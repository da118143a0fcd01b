/** The id of a name in the native store, without loading what reads stores and images. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fullName } from '../../image/image-name.ts'
import { parseReference } from '../../image/reference.ts'
import type { Digest } from '../../image/types.ts'
import type { Places } from '../../runtime/places.ts'

/** null when the store has no such name, or it is not so plain that it can be said at once: then the image is to be opened. */
export function quickId(places: Places, text: string): Digest | null {
  const reference = parseReference(text)
  const place = reference.kind === 'name' || (reference.kind === 'engine' && reference.engine === 'native')
  if (!place || reference.step !== null || reference.name.digest !== null) return null
  const wanted = fullName(reference.name)
  try {
    const { images } = JSON.parse(readFileSync(join(places.store, 'images.json'), 'utf8')) as { images: Kept[] }
    const found = wanted === null ? undefined : images.find(one => one.names.includes(wanted))
    return found && /^sha256:[0-9a-f]{64}$/.test(found.id) ? found.id : null
  } catch {
    return null
  }
}

interface Kept {
  id: string
  names: string[]
}
