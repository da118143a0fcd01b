/**
 * Layers of one engine that containers of another stand on: the native engine runs images of Docker and Podman from where
 * they lie. These engines know nothing of it, and would take the layers away under a container. Pure.
 */
import type { DiskUsage, StoredContainer } from './usage.ts'

/** The disks, with what is lent told on the lenders’. A disk that lends nothing is the same object as before. */
export function withLent<T extends { usage: DiskUsage | null }>(disks: readonly T[]): T[] {
  const all = disks.map(({ usage }) => usage?.containers.filter(one => one.borrows?.length) ?? [])
  return disks.map((disk, at) => {
    const borrowers = all.filter((_, index) => index !== at).flat()
    const usage = disk.usage === null ? null : lending(disk.usage, borrowers)
    return usage === disk.usage ? disk : { ...disk, usage }
  })
}

/** An image that has a borrower's topmost layer has all that it stands on. */
function lending(usage: DiskUsage, borrowers: readonly StoredContainer[]): DiskUsage {
  const own = new Set(usage.layers.map(one => one.id))
  const here = borrowers.filter(one => own.has(topOf(one)))
  if (here.length === 0) return usage
  const needs = Map.groupBy(
    here.flatMap(({ id, borrows = [] }) => borrows.map(layer => ({ id, layer }))),
    one => one.layer,
  )
  return {
    ...usage,
    layers: usage.layers.map(layer => {
      const users = needs.get(layer.id)?.map(one => one.id)
      return users ? { ...layer, containers: [...layer.containers, ...users] } : layer
    }),
    images: usage.images.map(image => {
      const lentTo = here.filter(one => image.layers.includes(topOf(one))).map(one => one.name)
      return lentTo.length === 0 ? image : { ...image, lentTo }
    }),
  }
}

function topOf({ borrows }: StoredContainer): string {
  return borrows?.at(-1) ?? ''
}
