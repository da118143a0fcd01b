/** What images that stay in their registry are reached with: loaded when one is named. */
import { homedir } from 'node:os'
import process from 'node:process'
import { placesOf } from '../runtime/places.ts'
import { storeFolder } from '../runtime/store/folder.ts'
import type { RegistryOptions } from '../source/open.ts'
import { blobIn, findLayersOn } from '../source/remote/here.ts'
import type { Options } from './program.ts'
import { accessOf } from './store/registry.ts'
import { surroundings } from './surroundings.ts'

export function registriesOf(options: Options): RegistryOptions {
  const places = placesOf(process.env, homedir(), process.getuid?.() === 0)
  const own = storeFolder(places)
  return { access: accessOf(options), findLayers: findLayersOn(surroundings(), own), localBlob: blobIn(own) }
}
