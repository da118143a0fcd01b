/** The native engine as the command line reaches it. */
import { homedir } from 'node:os'
import process from 'node:process'
import type { PrepareOptions } from '../../engine/native/prepare.ts'
import { quickId } from '../../engine/native/quick-id.ts'
import { type Places, placesOf } from '../../runtime/places.ts'
import type { Options } from '../program.ts'
import { surroundings } from '../surroundings.ts'

export function ownPlaces(): Places {
  return placesOf(process.env, homedir(), process.getuid?.() === 0)
}

/** What an image is found and prepared with. Nothing of sources is loaded before an image has to be opened. */
export function prepareOptions(options: Options): PrepareOptions {
  const places = ownPlaces()
  return {
    places,
    surroundings: surroundings(),
    quickId: options.platform === undefined ? reference => quickId(places, reference) : () => null,
    async open(reference, work) {
      const [{ openImage }, { openOptions }] = await Promise.all([
        import('../../source/open.ts'),
        import('../target.ts'),
      ])
      const { engine, ...others } = options
      return openImage(reference, {
        ...openOptions(engine === 'native' ? others : options),
        ...work,
        needContent: true,
      })
    },
  }
}
