/** Images leave the store, by docker's rules: a name goes first, the image with its last name, and not while it is used. */
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import { shortDigest } from '../../image/digest.ts'
import type { Digest } from '../../image/types.ts'
import { allRecords, type ContainerRecord } from '../containers/record.ts'
import { allStates } from '../containers/states.ts'
import type { Places } from '../places.ts'
import { makeStore, storeFolder, workplace } from './folder.ts'
import { chainOf, digestsOf, type Thing, takeAway, unusedThings } from './garbage.ts'
import { changeImages, type KeptImage } from './index.ts'
import { type Found, getImage, shownName } from './names.ts'

export interface Removed {
  /** As docker shows them. */
  untagged: string[]
  /** The image's id and the chain ids of the layers that went with it, top first. */
  deleted: Digest[]
}

/**
 * Takes a name from an image, and the image away with its last one. @throws Fault when a container uses it (`force`: when
 * one is running), or when an id has several names.
 */
export async function removeImage(places: Places, text: string, { force = false } = {}): Promise<Removed> {
  const folder = storeFolder(places)
  makeStore(folder)
  const [containers, states] = await Promise.all([allRecords(places.containers), allStates(places)])
  const isRunning = ({ id }: ContainerRecord) => states.has(id) && states.get(id)!.status !== 'stopped'
  const place = await workplace(folder)
  try {
    return await changeImages(
      folder,
      place,
      images => {
        const found = getImage(images, text)
        const users = containers.filter(one => one.imageId === found.image.id)
        const lost = lostNames(found, users, users.find(isRunning) ?? null, force)
        return lost.length === found.image.names.length
          ? deleteImage(images, found.image)
          : untag(images, found.image, lost)
      },
      async ({ gone }, images) => {
        if (gone) takeAway(await leftBy(places, gone, images), place)
      },
    )
  } finally {
    await place.leave()
  }
}

/** The names that go; all of them: the image goes too. */
function lostNames(
  { image, name }: Found,
  users: readonly ContainerRecord[],
  running: ContainerRecord | null,
  force: boolean,
): string[] {
  if (name !== null && image.names.length > 1) return [name]
  const id = shortDigest(image.id)
  if (running !== null) {
    throw new Fault(`The image ${id} is not removed: the container ${safe(running.name)} is running on it.`, {
      hint: `Stop it first: strata stop ${safe(running.name)}`,
    })
  }
  if (force) return image.names
  if (name === null && image.names.length > 1) {
    throw new Fault(`The image ${id} is not removed: it has ${image.names.length} names.`, {
      hint: `Remove them one by one, or all with -f: ${image.names.map(shownName).join(', ')}`,
    })
  }
  if (users.length === 0) return image.names
  throw new Fault(`The image ${id} is not removed: the container ${safe(users[0].name)} is made of it.`, {
    hint: 'Remove the container first, or the image with -f: the container keeps what it needs.',
  })
}

type Change = { images: KeptImage[]; result: Removed & { gone: KeptImage | null } }

function untag(images: KeptImage[], image: KeptImage, lost: string[]): Change {
  const left = { ...image, names: image.names.filter(name => !lost.includes(name)) }
  const result = { untagged: lost.map(shownName), deleted: [], gone: null }
  return { images: images.map(one => (one === image ? left : one)), result }
}

function deleteImage(images: KeptImage[], image: KeptImage): Change {
  const left = images.filter(one => one !== image)
  const others = new Set(left.flatMap(chainOf))
  const layers = chainOf(image).filter(chainId => !others.has(chainId))
  const result = { untagged: image.names.map(shownName), deleted: [image.id, ...layers.reverse()], gone: image }
  return { images: left, result }
}

/** What only this image needed. What nobody needed before either is for `prune`. */
async function leftBy(places: Places, image: KeptImage, images: readonly KeptImage[]): Promise<Thing[]> {
  const own = new Set(digestsOf(image))
  return (await unusedThings(places, images)).filter(({ digest }) => own.has(digest))
}
