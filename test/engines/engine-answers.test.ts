/** The machine's engines: Docker 20.10 with two stores, Podman 4.3 as root and of an ordinary user. */
import { describeEngine } from '../harness/engine-suite.ts'
import { startDocker, startPodman } from '../harness/engines.ts'

describeEngine({ name: 'Docker with overlay2', start: () => startDocker(), builders: ['classic', 'buildkit'] })
describeEngine({ name: 'Docker with vfs', start: () => startDocker({ driver: 'vfs' }), builders: ['classic'] })
describeEngine({ name: 'Podman as root', start: () => startPodman(), builders: ['podman'] })
describeEngine({ name: 'Podman of a user', start: () => startPodman({ rootless: true }), builders: ['podman'] })
