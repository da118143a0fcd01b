/** `s`: the terminal goes to a shell in the image as of a step, and comes back when it ends. */
import type { Image } from '../../source/types.ts'
import type { Ui } from '../ui.ts'

/** Unpacks what is missing, with progress, then hands the terminal over. */
export async function shellIn(ui: Ui, image: Image, step: number): Promise<void> {
  const ready = await ui.work('Unpacking', work => ui.services.shell(image, step, work))
  if (!ready) return
  let status = 0
  let failure: unknown = null
  try {
    await ui.handOver(async () => {
      try {
        status = await ready.run()
      } catch (error) {
        failure = error
      }
    })
  } finally {
    await ready.release()
  }
  if (failure !== null) ui.fail(failure, 'The shell can not be started')
  else if (status !== 0) ui.toast(`The shell ended with ${status}.`)
}
