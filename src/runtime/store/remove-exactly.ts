/** Exactly what was named leaves the store: an image that is as it was, things that still nobody needs. */
import { rmSync } from 'node:fs'
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import type { Digest } from '../../image/types.ts'
import { allRecords } from '../containers/record.ts'
import type { Places } from '../places.ts'
import { makeStore, storeFolder, workplace } from './folder.ts'
import { digestsOf, type Thing, takeAway, unusedThings } from './garbage.ts'
import { changeImages } from './index.ts'
import { tryLock } from './lock.ts'
import { shownName } from './names.ts'
import { leftPartials } from './partial.ts'

/**
 * Takes an image away with all of its names, and what only it needed. `names` as they were shown. One that is gone already
 * is no failure. @throws Fault when a container is made of it, or when it has another name by now.
 */
export async function removeKept(places: Places, id: Digest, names: readonly string[]): Promise<void> {
  const folder = storeFolder(places)
  makeStore(folder)
  const user = (await allRecords(places.containers)).find(one => one.imageId === id)
  if (user) throw new Fault(`${safe(user.name)} is made of it.`)
  const place = await workplace(folder)
  try {
    await changeImages(
      folder,
      place,
      images => {
        const image = images.find(one => one.id === id)
        const added = image?.names.map(shownName).find(name => !names.includes(name))
        if (added !== undefined) throw new Fault(`It is called ${safe(added)} by now.`)
        return image
          ? { images: images.filter(one => one !== image), result: digestsOf(image) }
          : { images: null, result: [] }
      },
      async (digests, images) => {
        const own = new Set(digests)
        takeAway(
          (await unusedThings(places, images)).filter(one => own.has(one.digest)),
          place,
        )
      },
    )
  } finally {
    await place.leave()
  }
}

/** Takes those of the things away that nobody needs; gives whether each is gone, in their order. */
export async function removeUnused(
  places: Places,
  wanted: readonly Pick<Thing, 'kind' | 'digest'>[],
): Promise<boolean[]> {
  const folder = storeFolder(places)
  makeStore(folder)
  const place = await workplace(folder)
  try {
    return await changeImages(
      folder,
      place,
      () => ({ images: null, result: [] as boolean[] }),
      async (gone, images) => {
        const unused = await unusedThings(places, images)
        const taken = wanted.map(({ kind, digest }) => unused.find(one => one.kind === kind && one.digest === digest))
        takeAway(
          taken.filter(one => one !== undefined),
          place,
        )
        gone.push(...taken.map(one => one !== undefined))
      },
    )
  } finally {
    await place.leave()
  }
}

/** Milliseconds after which nobody is thought to go on with what came only in part. */
export const PARTIAL_REST = 3_600_000

/** Takes away what came only in part; false: somebody is at it, or was not long ago. */
export async function removePartial(places: Places, digest: Digest): Promise<boolean> {
  const left = (await leftPartials(storeFolder(places), PARTIAL_REST)).find(one => one.digest === digest)
  const own = left && (await tryLock(`${left.path}.lock`))
  if (!left || !own) return false
  try {
    rmSync(left.path, { force: true })
    rmSync(`${left.path}.lock`, { force: true })
    return true
  } finally {
    own.release()
  }
}
