/** What is done with the one container under the cursor beyond starting and stopping it, and the making of new ones. */

import { verbLine } from '../../actions/by-hand.ts'
import type { ContainersContext } from '../../actions/containers.ts'
import type { ContainerEngine } from '../../engine/containers.ts'
import { createProcesses } from '../processes/processes.ts'
import type { Ui } from '../ui.ts'
import { commitFrom } from './commit.ts'
import { copyFiles } from './copying.ts'
import { newContainer } from './new.ts'
import type { ContainerRow } from './rows.ts'

type Deeds = Pick<
  ContainersContext,
  'lists' | 'processes' | 'mayMake' | 'make' | 'mayCommit' | 'commit' | 'mayAttach' | 'attach' | 'mayCopy' | 'copyFiles'
>

/** `row`: the one under the cursor. */
export function deedsOf(ui: Ui, row: () => ContainerRow | undefined): Deeds {
  const { containers: service, journal } = ui.services
  /** The row with its engine, where something may be done. */
  const here = (): (ContainerRow & { engine: ContainerEngine }) | null => {
    const one = row()
    return one?.engine && !one.stale && !service.readOnly ? (one as ContainerRow & { engine: ContainerEngine }) : null
  }
  const runs = () => (here()?.container.state === 'running' ? here() : null)
  return {
    mayMake: () => !service.readOnly,
    make: () => newContainer(ui, null),
    mayCommit: () => here()?.engine.containers.capabilities.commit === true,
    async commit() {
      const one = here()
      if (one) await commitFrom(ui, one.engine, one.container)
    },
    lists: () => {
      const one = row()
      return one?.engine != null && !one.stale && one.container.state === 'running'
    },
    processes() {
      const one = row()
      if (one?.engine) ui.push(createProcesses(ui, { engine: one.engine, ...one.container }))
    },
    mayCopy: () => here() !== null,
    async copyFiles() {
      const one = here()
      if (one) await copyFiles(ui, one.engine, one.container)
    },
    mayAttach: () => runs() !== null,
    async attach() {
      const one = runs()
      if (!one) return
      const { engine, engineId, container } = one
      let status: number | null = 0
      let failure: unknown = null
      const deed = {
        what: `attached to ${container.name}`,
        engine: engineId,
        command: verbLine(engine, ['attach'], [container.name]),
      }
      await ui.handOver(async () => {
        try {
          status = await journal.record(deed, () => service.attach(engineId, container))
        } catch (error) {
          failure = error
        }
      })
      if (failure !== null) ui.fail(failure, 'It can not be attached to')
      else if (status) ui.toast(`${container.name} ended with ${status}.`)
    },
  }
}
