/** `s`: the terminal goes to a shell in a container, and comes back when that ends. */
import type { Container } from '../../engine/containers.ts'
import type { Ui } from '../ui.ts'

export async function shellIn(ui: Ui, engine: string, container: Container): Promise<void> {
  let status = 0
  let failure: unknown = null
  await ui.handOver(async () => {
    try {
      status = await ui.services.containers.shell(engine, container)
    } catch (error) {
      failure = error
    }
  })
  if (failure !== null) ui.fail(failure, 'The shell can not be started')
  else if (status !== 0) ui.toast(`The shell ended with ${status}.`)
}
