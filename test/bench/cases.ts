/** What is measured, and next to what. A case gives rows: a figure of ours, its limit, and the target for both. */
import type { Case } from './bench.ts'
import { containers, logs, soak } from './cases-containers.ts'
import { byName, docker, podman } from './cases-engines.ts'
import { compressed, parallel, plain, split, tall, wide } from './cases-files.ts'
import { dockerDiff, live } from './cases-live.ts'
import { look } from './cases-look.ts'
import { run } from './cases-native.ts'
import { pull } from './cases-registry.ts'
import { deleting, keys, layers, start } from './cases-screen.ts'

/** The cases by name, in the order in which they run. */
export const cases: Record<string, Case> = {
  docker,
  podman,
  look,
  pull,
  byName,
  plain,
  gzip: bench => compressed(bench, 'gzip', 1.5),
  parallel,
  zstd: bench => compressed(bench, 'zstd', 1.1),
  split,
  wide,
  tall,
  start,
  deleting,
  keys,
  layers,
  containers,
  logs,
  soak,
  live,
  dockerDiff,
  run,
}
