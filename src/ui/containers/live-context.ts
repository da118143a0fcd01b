/** The keys of a container that the Explorer looks into. */
import type { LiveContext } from '../../actions/live.ts'
import { safe } from '../../base/text.ts'
import type { Ui } from '../ui.ts'

/** `engine` is null where the person named none. */
export function createLiveContext(
  ui: Ui,
  { engine, name }: { engine: string | null; name: string },
  onTop: () => boolean,
): LiveContext {
  const { containers } = ui.services
  return {
    mayAct: () => !containers.readOnly,
    onTop,
    async shell() {
      let status = 0
      let failure: unknown = null
      await ui.handOver(async () => {
        try {
          status = await containers.shell(engine, { id: name, name })
        } catch (error) {
          failure = error
        }
      })
      if (failure !== null) ui.fail(failure, 'The shell can not be started')
      else if (status !== 0) ui.toast(`The shell ended with ${status}.`)
    },
    async act(deed) {
      const done = await ui.work(`${name}: ${deed}`, () => containers.act(engine, name, deed))
      if (done !== undefined) ui.toast(`${done} ${safe(name)}`)
    },
  }
}
