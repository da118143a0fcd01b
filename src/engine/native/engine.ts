/** The native engine among the others: no daemon, the helper and folders of this machine. */
import { asFault } from '../../base/errors.ts'
import { findHelper } from '../../runtime/find-helper.ts'
import type { ContainerEngine } from '../containers.ts'
import { nativeContainers } from './containers.ts'
import type { PrepareOptions } from './prepare.ts'
import { nativeStorage } from './usage.ts'
import { nativeVolumes } from './volumes.ts'
import { granted } from './wish.ts'

/** Asks nothing of the machine; `health` says whether it can run anything here. */
export function nativeEngine(options: PrepareOptions & { version: string }): ContainerEngine {
  const containers = nativeContainers(options)
  return {
    id: 'native',
    kind: 'native',
    version: options.version,
    containers,
    check: spec => void granted(spec),
    async imageRun(reference, { signal }) {
      const image = await options.open(reference, { signal })
      try {
        return image.config.run
      } finally {
        await image.close()
      }
    },
    storage: nativeStorage(options.places, containers),
    volumes: nativeVolumes(options.places),
    async health() {
      try {
        findHelper()
        return null
      } catch (error) {
        return asFault(error, 'The native engine can not run here')
      }
    },
    close: () => {},
  }
}
