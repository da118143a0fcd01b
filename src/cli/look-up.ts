/**
 * Where a name is looked up: in the native store, in the engines of this machine and of the person, and in the stores
 * that they leave.
 */
import process from 'node:process'
import type { EngineResolver } from '../source/open.ts'
import { openOwnImage } from './own-images.ts'
import { surroundings } from './surroundings.ts'

/** What `openImage` asks with. Nothing of engines or stores is loaded before a name has to be looked up. */
export const lookUp: EngineResolver = async (reference, options) => {
  const own = await openOwnImage(reference, options)
  if (own !== null) return own
  const { engineResolver } = await import('../engine/resolve.ts')
  return engineResolver(surroundings(), { mayAsk: process.stdin.isTTY === true })(reference, options)
}
