/** Engines newer than the machine's: the containerd image store, newer APIs, Podman 5. */
import { describeEngine } from '../harness/engine-suite.ts'
import { startDocker, startPodman } from '../harness/engines.ts'
import { newerRoot } from '../harness/newer-roots.ts'

describeEngine({
  name: 'Docker 28 with the containerd image store',
  start: async () => startDocker({ driver: 'containerd', root: await newerRoot('sid') }),
  builders: ['classic', 'buildkit'],
  containerd: true,
})
describeEngine({
  name: 'Docker 28 with overlay2',
  start: async () => startDocker({ root: await newerRoot('sid') }),
  builders: ['classic', 'buildkit'],
})
describeEngine({
  name: 'Docker 26 with overlay2',
  start: async () => startDocker({ root: await newerRoot('trixie') }),
  builders: ['classic'],
})
describeEngine({
  name: 'Podman 5.8',
  start: async () => startPodman({ root: await newerRoot('sid') }),
  builders: ['podman'],
})
describeEngine({
  name: 'Podman 5.4',
  start: async () => startPodman({ root: await newerRoot('trixie') }),
  builders: ['podman'],
})
