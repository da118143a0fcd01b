/** The containers of Docker and Podman, through Docker's API. */
import type { Client } from './client.ts'
import type { Containers } from './containers.ts'
import { containerActions } from './daemon-actions.ts'
import { containerCapabilities } from './daemon-capabilities.ts'

/** The containers of the engine that the client speaks with. */
export function daemonContainers(client: Client): Containers {
  const { capabilities, learn } = containerCapabilities(client)
  const actions = containerActions(client)
  return {
    ...actions,
    capabilities,
    async list(options) {
      const containers = await actions.list(options)
      learn()
      return containers
    },
  } as Containers
}
