/** Shells of the screens: unpacked first, with progress, then run at the terminal. */
import process from 'node:process'
import type { ReadyShell } from '../actions/services.ts'
import type { Work } from '../base/progress.ts'
import { safe } from '../base/text.ts'
import { prepareStep } from '../engine/native/prepare.ts'
import { shellIn } from '../engine/native/shell.ts'
import type { Image } from '../source/types.ts'
import { ownPlaces } from './containers/places.ts'
import { surroundings } from './surroundings.ts'

export async function readyShell(image: Image, step: number, work: Work): Promise<ReadyShell> {
  const places = ownPlaces()
  const prepared = await prepareStep(image, step, { places, surroundings: surroundings(), ...work })
  return {
    run() {
      const name = safe(image.reference)
      process.stdout.write(
        `${name} as of step ${step}: what is changed here is gone afterwards; exit brings strata back.\r\n`,
      )
      return shellIn(places, prepared, { image: image.reference, tty: true })
    },
    release: () => prepared.release(),
  }
}
