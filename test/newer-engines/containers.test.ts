/** Containers of engines newer than the machine's: newer APIs, the containerd image store, Podman 5. */
import { describeContainers } from '../harness/containers-suite.ts'
import { startDocker, startPodman } from '../harness/engines.ts'
import { newerRoot } from '../harness/newer-roots.ts'

describeContainers({
  name: 'Docker 28 with the containerd image store',
  start: async () => startDocker({ driver: 'containerd', root: await newerRoot('sid') }),
  overlay: false,
  ps: false,
})
describeContainers({ name: 'Docker 28', start: async () => startDocker({ root: await newerRoot('sid') }), ps: false })
describeContainers({
  name: 'Docker 26',
  start: async () => startDocker({ root: await newerRoot('trixie') }),
  ps: false,
})
describeContainers({ name: 'Podman 5.8', start: async () => startPodman({ root: await newerRoot('sid') }), ps: false })
describeContainers({
  name: 'Podman 5.4',
  start: async () => startPodman({ root: await newerRoot('trixie') }),
  ps: false,
})
