/** The native engine among the others. */
import manifest from '../../../package.json' with { type: 'json' }
import type { ContainerEngine } from '../../engine/containers.ts'
import { nativeEngine } from '../../engine/native/engine.ts'
import type { Options } from '../program.ts'
import { prepareOptions } from './places.ts'

export function ownEngine(options: Options): ContainerEngine {
  return nativeEngine({ ...prepareOptions(options), version: manifest.version })
}
