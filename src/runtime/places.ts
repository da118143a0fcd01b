/** Where the native engine keeps its things: one folder a user, closed to everybody else. Pure. */
import { join } from 'node:path'

export interface Places {
  /** Images and unpacked layers. */
  store: string
  /** One folder a container, which lives as long as the container does. */
  containers: string
  /** The helper's own state of containers that run (`--root` of the helper). */
  state: string
}

/**
 * `STRATA_ROOT`, else `/var/lib/strata` for root and `$XDG_DATA_HOME/strata` for anybody else. Nothing is made here.
 * The state lies beside the rest and not below /run: what a container's exit code was must survive a reboot.
 */
export function placesOf(env: NodeJS.ProcessEnv, home: string, isRoot: boolean): Places {
  const data = env.XDG_DATA_HOME?.startsWith('/') ? env.XDG_DATA_HOME : join(home, '.local/share')
  const root = env.STRATA_ROOT || (isRoot ? '/var/lib/strata' : join(data, 'strata'))
  return { store: join(root, 'store'), containers: join(root, 'containers'), state: join(root, 'state') }
}
