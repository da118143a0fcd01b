/** A container for the screens: its image with the live layer on top, from whichever engine has it. */
import type { Work } from '../base/progress.ts'
import { openContainer } from '../engine/live-container.ts'
import { openImage } from '../source/open.ts'
import type { Image } from '../source/types.ts'
import { openEngines } from './containers/engines.ts'
import type { Options } from './program.ts'
import { openOptions } from './target.ts'

/** The engine stays open as long as the image does. */
export async function openLive(
  { engine: wanted, name }: { engine: string | null; name: string },
  options: Options,
  work: Work,
): Promise<Image> {
  const asked = wanted === null ? options : { ...options, engine: wanted }
  const engines = openEngines({ signal: work.signal ?? new AbortController().signal }, asked)
  try {
    const { engine, id } = await engines.find(name)
    const image = await openContainer(engine, id, {
      ...work,
      now: () => Date.now(),
      // A daemon is asked by id: the name may mean another image by now. A native one is run from where its image is.
      openImage: (facts, ours) => {
        const native = engine.kind === 'native'
        const reference = native ? facts.image.replace(/@[^@/]*$/, '') : (facts.imageId ?? facts.image)
        const where = native
          ? openOptions({ ...options, engine: undefined })
          : openOptions({ ...options, engine: engine.id })
        return openImage(reference, { ...where, ...ours })
      },
    })
    const close = image.close.bind(image)
    return Object.assign(image, {
      async close() {
        await close().finally(() => engines.close())
      },
    })
  } catch (error) {
    engines.close()
    throw error
  }
}
