/** Containers of the machine's Docker. */
import { describeContainers } from '../harness/containers-suite.ts'
import { startDocker } from '../harness/engines.ts'

describeContainers({ name: 'Docker', start: () => startDocker({ bridge: true }) })
