/** `s`: the terminal goes to a shell in the image as of a step, and comes back when it ends. */
import type { LiveView } from '../../live/live-view.ts'
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
  tell(ui, status, failure)
}

/** The step of a live layer is the container itself: one goes into it. */
export async function shellInside(ui: Ui, { at, container }: LiveView): Promise<void> {
  if (at === null) return ui.toast('This container can not be entered from here.', 'warning')
  let status = 0
  let failure: unknown = null
  await ui.handOver(async () => {
    try {
      status = await ui.services.containers.shell(at.engine, { id: at.id, name: container })
    } catch (error) {
      failure = error
    }
  })
  tell(ui, status, failure)
}

function tell(ui: Ui, status: number, failure: unknown): void {
  if (failure !== null) ui.fail(failure, 'The shell can not be started')
  else if (status !== 0) ui.toast(`The shell ended with ${status}.`)
}
