/** The command lines that do by hand what is done to an engine here, as words. Pure. */
import type { CommitSpec, ContainerEngine, ContainerSpec } from '../engine/containers.ts'

/** Who speaks with the engine, and how it is reached: `docker`, `docker --context work`, `strata`. */
export type Hand = Pick<ContainerEngine, 'kind' | 'command'>

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
