/** The images of the native store, opened like those of any other source. */
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import { type ImageName, parseImageName } from '../../image/image-name.ts'
import type { Platform } from '../../image/types.ts'
import type { Places } from '../../runtime/places.ts'
import { blobBytes } from '../../runtime/store/blobs.ts'
import { storeFolder } from '../../runtime/store/folder.ts'
import { type KeptImage, readImages } from '../../runtime/store/index.ts'
import { findImage, shownName } from '../../runtime/store/names.ts'
import { openDirectory } from '../../source/folder-directory.ts'
import { type OpenOptions, openFolder } from '../../source/open.ts'
import type { Image } from '../../source/types.ts'

/** The images of the store; none where there is no store. Nothing is made. */
export function nativeImages(places: Places): KeptImage[] {
  return readImages(storeFolder(places))
}

/** The image of this name or id; null when the store has none. `options.reference` is what the person wrote. */
export async function openStoreImage(
  wanted: string | ImageName,
  places: Places,
  options: OpenOptions & { reference?: string } = {},
): Promise<Image | null> {
  const name = typeof wanted === 'string' ? parseImageName(wanted) : wanted
  const found = findImage(nativeImages(places), name)
  if (found === null) return null
  const reference = options.reference ?? `strata:${name.text}`
  const choice = { name: null, position: null, platform: (options.platform ?? null) as Platform | null }
  const image = await openFolder(layoutOf(places, found.image), {
    ...options,
    reference,
    source: 'strata-store',
    choice,
  })
  return { ...image, names: found.image.names.map(shownName) }
}

/** The store as an OCI layout that lists one image: it is one but for the index. */
function layoutOf(places: Places, { manifest, mediaType }: KeptImage) {
  const folder = storeFolder(places)
  const size = blobBytes(folder, manifest)
  if (size === null) throw new Fault(`The store ${safe(folder.root)} has lost the manifest of its image.`)
  const files = openDirectory(folder.root)
  const index = Buffer.from(JSON.stringify({ manifests: [{ mediaType, digest: manifest, size }] }))
  const passed = { content: index, digest: '', layer: null, fault: null }
  return {
    ...files,
    name: 'the native store',
    paths: () => [],
    file: (path: string) => {
      if (path.startsWith('blobs/')) return files.file(path)
      return path === 'index.json' ? { path, size: index.length, region: null, identity: null, passed } : null
    },
  }
}
