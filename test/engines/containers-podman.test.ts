/** Containers of the machine's Podman, of root and of an ordinary user. */
import { describeContainers } from '../harness/containers-suite.ts'
import { startPodman } from '../harness/engines.ts'

describeContainers({ name: 'Podman as root', start: () => startPodman() })
describeContainers({ name: 'Podman of a user', start: () => startPodman({ rootless: true }), cgroups: false })
