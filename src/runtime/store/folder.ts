/**
 * The folder of the native store, closed to everybody but its owner:
 *
 *   images.json        the images and their names
 *   blobs/sha256/HEX   manifests, configs and layers as they came, each named by its digest
 *   layers/HEX/        a layer unpacked for overlayfs, named by its chain id: `diff/`, and `about.json`
 *   work/RANDOM/       what a running Strata is at: unfinished things, and the layers that it uses
 *   lock               held by whoever changes images.json or takes something away
 *
 * Whatever is not in `work` is whole: it came there by rename. A folder in `work` whose lock nobody holds was left behind
 * by a Strata that is no more, and is removed by the next one.
 */
import { randomBytes } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { Fault, reasonOf } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import type { Digest } from '../../image/types.ts'
import { removeTrees } from '../layers.ts'
import type { Places } from '../places.ts'
import { type Lock, type LockOptions, lock, tryLock } from './lock.ts'

export interface StoreFolder {
  root: string
  blobs: string
  layers: string
  images: string
}

/** Paths only. Nothing is made. */
export function storeFolder({ store }: Places): StoreFolder {
  return {
    root: store,
    blobs: join(store, 'blobs/sha256'),
    layers: join(store, 'layers'),
    images: join(store, 'images.json'),
  }
}

/** Makes the folder where it is missing. @throws Fault when it is somebody else's, or can not be written to. */
export function makeStore(folder: StoreFolder): void {
  try {
    for (const path of [folder.root, folder.blobs, folder.layers, workOf(folder)])
      mkdirSync(path, { recursive: true, mode: 0o700 })
    const stat = lstatSync(folder.root)
    if (stat.uid !== process.getuid?.()) throw new Fault(`The store ${safe(folder.root)} belongs to another user.`)
    // Setuid programs of layers lie in it: nobody else may come near them (CVE-2021-41091).
    if ((stat.mode & 0o077) !== 0) chmodSync(folder.root, 0o700)
  } catch (error) {
    if (error instanceof Fault) throw error
    throw new Fault(`The store ${safe(folder.root)} can not be made: ${reasonOf(error)}.`, {
      cause: error,
      hint: 'STRATA_ROOT names another place for it.',
    })
  }
}

/** Held while images.json changes, or while something is taken away; `shared` while something must not be taken away. */
export function lockStore(folder: StoreFolder, options?: LockOptions): Promise<Lock> {
  return lock(join(folder.root, 'lock'), options)
}

/** A folder of this process in `work`. */
export interface Workplace {
  path: string
  /** From now on, and until it is left, the blobs and layers of these digests are not taken away. */
  use(digests: readonly Digest[]): Promise<void>
  /** Removes it with all that is in it. */
  leave(): Promise<void>
}

/** A new workplace. What a Strata that is no more has left behind is removed first. */
export async function workplace(folder: StoreFolder): Promise<Workplace> {
  await sweep(folder)
  const path = join(workOf(folder), randomBytes(8).toString('hex'))
  const turn = await lockStore(folder, { shared: true })
  let own: Lock
  try {
    mkdirSync(path, { mode: 0o700 })
    own = await lock(join(path, 'lock'))
  } catch (error) {
    rmSync(path, { recursive: true, force: true })
    throw new Fault(`The store ${safe(folder.root)} can not be written to: ${reasonOf(error)}.`, { cause: error })
  } finally {
    turn.release()
  }
  const used = new Set<Digest>()
  let left = false
  return {
    path,
    async use(digests) {
      const more = digests.filter(digest => !used.has(digest))
      if (more.length === 0) return
      const turn = await lockStore(folder, { shared: true })
      try {
        for (const digest of more) used.add(digest)
        writeFileSync(join(path, 'uses.json'), JSON.stringify([...used]))
      } finally {
        turn.release()
      }
    },
    async leave() {
      if (left) return
      left = true
      await clear(path).finally(() => own.release())
    },
  }
}

/** Digests of what running Stratas use. The caller has locked the store for itself. */
export async function digestsInUse(folder: StoreFolder): Promise<Set<Digest>> {
  const dead = await deserted(folder)
  const gone = new Set(dead.map(one => one.path))
  for (const one of dead) one.lock.release()
  const used = workplaces(folder).filter(path => !gone.has(path))
  return new Set(used.flatMap(usesOf))
}

function usesOf(path: string): string[] {
  try {
    const uses: unknown = JSON.parse(readFileSync(join(path, 'uses.json'), 'utf8'))
    return Array.isArray(uses) ? uses.map(String) : []
  } catch {
    return [] // left meanwhile
  }
}

/** Removes the workplaces that nobody is at any more, unless somebody else is at that. */
async function sweep(folder: StoreFolder): Promise<void> {
  // Nobody makes a workplace meanwhile: each of them has had its owner's lock before we look at it.
  const turn = await tryLock(join(folder.root, 'lock'))
  if (turn === null) return
  const dead = await deserted(folder).finally(() => turn.release())
  for (const { path, lock } of dead) {
    await clear(path).catch(() => {})
    lock.release()
  }
}

async function deserted(folder: StoreFolder): Promise<{ path: string; lock: Lock }[]> {
  const found: { path: string; lock: Lock }[] = []
  for (const path of workplaces(folder)) {
    const own = await tryLock(join(path, 'lock')).catch(() => null)
    if (own !== null) found.push({ path, lock: own })
  }
  return found
}

/** Files of a layer have owners that are not ours: they are the helper's to remove. */
async function clear(path: string): Promise<void> {
  const trees = readdirSync(path, { withFileTypes: true }).filter(entry => entry.isDirectory())
  if (trees.length > 0) await removeTrees(trees.map(entry => join(path, entry.name))).catch(() => {})
  rmSync(path, { recursive: true, force: true })
}

function workplaces(folder: StoreFolder): string[] {
  try {
    return readdirSync(workOf(folder)).map(name => join(workOf(folder), name))
  } catch {
    return [] // there is no store yet
  }
}

function workOf({ root }: StoreFolder): string {
  return join(root, 'work')
}
