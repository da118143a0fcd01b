/** The command lines that do by hand what is done to an engine here, as words. Pure. */
import { type Address, formatAddress } from './address.ts'
import type { CommitSpec, ContainerEngine, ContainerSpec } from './containers.ts'

/** Who speaks with the engine, and how it is reached: `docker`, `docker --context work`, `strata`. */
export type Hand = Pick<ContainerEngine, 'kind' | 'command'>

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

/** What the client of an engine is called with before its verb. */
export function handWords({ kind, command }: Hand): string[] {
  return command ? [...command] : [kind === 'native' ? 'strata' : kind]
}

/** `docker stop web db` */
export function verbLine(hand: Hand, verb: readonly string[], names: readonly string[]): string[] {
  return [...handWords(hand), ...verb, ...names]
}

/** `docker run -d … IMAGE COMMAND`, or `create`. */
export function runLine(hand: Hand, spec: ContainerSpec, how: 'run' | 'create'): string[] {
  const each = (flag: string, values: readonly string[] | undefined) => (values ?? []).flatMap(value => [flag, value])
  const one = (flag: string, value: string | number | undefined) =>
    value === undefined || value === '' ? [] : [flag, String(value)]
  const entrypoint = spec.entrypoint
  return [
    ...handWords(hand),
    how,
    ...(how === 'run' && !spec.tty ? ['-d'] : []),
    ...(spec.tty ? ['-t'] : []),
    ...(spec.openStdin ? ['-i'] : []),
    ...(spec.remove ? ['--rm'] : []),
    ...(spec.readOnly ? ['--read-only'] : []),
    ...one('--name', spec.name),
    ...one('--hostname', spec.hostname),
    ...one('--user', spec.user),
    ...one('--workdir', spec.workingDir),
    ...each('-e', spec.env),
    ...each(
      '--label',
      Object.entries(spec.labels ?? {}).map(([name, value]) => `${name}=${value}`),
    ),
    ...each('-p', spec.publish),
    ...each('-v', spec.volumes),
    ...each('--tmpfs', spec.tmpfs),
    ...one('--network', spec.network),
    ...(spec.restart === 'no' ? [] : one('--restart', spec.restart)),
    ...one('--memory', spec.memory),
    ...one('--cpus', spec.cpus),
    ...one('--pids-limit', spec.pidsLimit),
    ...one('--stop-signal', spec.stopSignal),
    ...one('--stop-timeout', spec.stopTimeout),
    ...one('--platform', spec.platform),
    ...(entrypoint === undefined ? [] : ['--entrypoint', entrypoint[0] ?? '']),
    spec.image,
    ...(entrypoint?.slice(1) ?? []),
    ...(spec.command ?? []),
  ]
}

/** `docker commit -m TEXT web NAME` */
export function commitLine(hand: Hand, name: string, spec: CommitSpec): string[] {
  const one = (flag: string, value: string | undefined) => (value === undefined || value === '' ? [] : [flag, value])
  const going = hand.kind === 'native' ? '--no-pause' : '--pause=false'
  return [
    ...handWords(hand),
    'commit',
    ...(spec.pause === false ? [going] : []),
    ...one('--author', spec.author),
    ...one('--message', spec.message),
    ...(spec.changes ?? []).flatMap(line => ['--change', line]),
    name,
    ...(spec.reference ? [spec.reference] : []),
  ]
}
