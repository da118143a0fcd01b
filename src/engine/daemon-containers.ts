/** The containers of Docker and Podman, through Docker's API. */
import type { Client } from './client.ts'
import type { Containers } from './containers.ts'

/** The containers of the engine that the client speaks with. */
export function daemonContainers(_client: Client): Containers {
  return {} as Containers
}
