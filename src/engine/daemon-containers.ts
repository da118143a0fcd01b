/** The containers of Docker and Podman, through Docker's API. */
import type { Client } from './client.ts'
import type { Containers } from './containers.ts'
import { containerActions } from './daemon-actions.ts'
import { containerCapabilities } from './daemon-capabilities.ts'
import { engineEvents } from './daemon-events.ts'
import { containerLogs } from './daemon-logs.ts'
import { attachSession, execSession } from './daemon-session.ts'
import { containerStats } from './daemon-stats.ts'

/** The containers of the engine that the client speaks with. */
export function daemonContainers(client: Client): Containers {
  const { capabilities, learn } = containerCapabilities(client)
  const actions = containerActions(client)
  const exec: Containers['exec'] = (id, spec) => execSession(client, id, spec)
  const asked = { ...actions, exec }
  return {
    ...actions,
    capabilities,
    async list(options) {
      const containers = await actions.list(options)
      learn()
      return containers
    },
    events: options => engineEvents(client, options),
    stats: (id, options) => containerStats(client, id, options),
    logs: (id, query) => containerLogs(client, id, query),
    exec,
    async processes(id) {
      const { listProcesses } = await import('./processes.ts')
      return listProcesses(asked, id, capabilities.local)
    },
    async signalProcess(id, process, signal) {
      const { signalOne } = await import('./processes.ts')
      return signalOne(asked, id, process, signal)
    },
    attach: (id, options) => attachSession(client, id, options),
  }
}
