/** References that mean images of the native store: `strata:NAME`, and bare names that it has. */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import process from 'node:process'
import { Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import { parsePlatform } from '../image/platform.ts'
import type { Reference } from '../image/reference.ts'
import { placesOf } from '../runtime/places.ts'
import { storeFolder } from '../runtime/store/folder.ts'
import { NoImage } from '../source/no-image.ts'
import type { OpenOptions } from '../source/open.ts'
import type { Image } from '../source/types.ts'

/** null: it means something else. Nothing is loaded where there is no store. @throws Fault when the store was asked for and has none. */
export async function openOwnImage(reference: Reference, options: OpenOptions): Promise<Image | null> {
  const asked = reference.kind === 'engine' ? reference.engine === 'native' : options.engine === 'native'
  const bare = reference.kind === 'name' && options.engine === undefined && options.context === undefined
  if (!asked && !bare) return null
  const { name } = reference as Extract<Reference, { kind: 'engine' | 'name' }>
  const places = placesOf(process.env, homedir(), process.getuid?.() === 0)
  const { platform } = options
  if (existsSync(storeFolder(places).images)) {
    const { openStoreImage } = await import('../engine/native/images.ts')
    const image = await openStoreImage(name, places, {
      ...options,
      platform: typeof platform === 'string' ? parsePlatform(platform) : platform,
      reference: reference.text,
    }).catch(error => {
      // A store that is damaged is no reason not to ask the engines for what they have.
      if (asked || !(error instanceof Fault) || error.exitCode !== 1) throw error
      return null
    })
    if (image !== null) return image
  }
  if (!asked) return null
  throw new NoImage(`The native store has no image “${safe(name.text)}”.`, {
    hint: 'strata images --engine native lists what it has; strata pull and strata load take images in.',
  })
}
