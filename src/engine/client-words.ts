/** What reaches an engine by hand: the words before a verb of its own client. Pure. */
import { type Address, formatAddress } from './address.ts'

/**
 * The beginning of a line that reaches the engine at an endpoint: its own client, told where it is unless it looks there
 * by itself. `uid` is null where users have no number.
 */
export function clientWords(
  kind: 'docker' | 'podman',
  { origin, address }: { origin: string; address: Address },
  uid: number | null,
): string[] {
  const context = /^context (.+)$/s.exec(origin)?.[1]
  if (context !== undefined && context !== 'default') return ['docker', '--context', context]
  // The person's own environment says it to their client too.
  if (origin === 'DOCKER_HOST' || origin === 'context default') return ['docker']
  if (origin === 'CONTAINER_HOST') return ['podman', '--remote']
  if (address.kind === 'unix' && usual(kind, address.path, uid)) return [kind]
  return kind === 'docker' ? ['docker', '-H', formatAddress(address)] : ['podman', '--url', formatAddress(address)]
}

function usual(kind: 'docker' | 'podman', path: string, uid: number | null): boolean {
  if (kind === 'docker') return path === '/var/run/docker.sock' || path === '/run/docker.sock'
  return path === (uid === 0 ? '/run/podman/podman.sock' : `/run/user/${uid}/podman/podman.sock`)
}
