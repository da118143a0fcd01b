/** The config of the image that a container becomes. Pure. */
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import { parseInstruction } from '../../image/instruction.ts'
import { runOf } from '../../image/replay.ts'
import { apply, stateOf } from '../../image/replay-step.ts'
import type { Digest, RunConfig } from '../../image/types.ts'
import type { ContainerRecord } from '../../runtime/containers/record.ts'
import type { CommitSpec } from '../containers.ts'

/** What `docker commit --change` takes. */
const allowed = [
  'CMD',
  'ENTRYPOINT',
  'ENV',
  'EXPOSE',
  'HEALTHCHECK',
  'LABEL',
  'ONBUILD',
  'STOPSIGNAL',
  'USER',
  'VOLUME',
  'WORKDIR',
]

/** The config with Dockerfile lines laid on it. Throws a Fault for a line that is none of those. */
export function changed(run: RunConfig, lines: readonly string[]): RunConfig {
  const state = stateOf(run)
  const none = { values: new Map<string, string>(), names: new Set<string>(), spaced: [] }
  let cmd = false
  for (const line of lines) {
    const upper = line.trim().replace(/^[a-z]+/i, word => word.toUpperCase())
    const instruction = { ...parseInstruction(upper), spelling: 'plain' as const }
    if (instruction.keyword === null || !allowed.includes(instruction.keyword))
      throw new Fault(`“${safe(line)}” is no change of an image.`, {
        hint: `Write one of ${allowed.join(', ')}: --change 'CMD ["nginx"]'`,
        exitCode: 2,
      })
    if (instruction.keyword === 'CMD') cmd = true
    apply(state, instruction, { env: none, labels: none, run, windows: false }, cmd)
  }
  return runOf(state)
}

/** What the container runs with, over what its image says. */
export function runOfContainer(image: RunConfig, record: ContainerRecord): RunConfig {
  return {
    ...image,
    env: record.env,
    cmd: record.cmd.length > 0 ? record.cmd : null,
    entrypoint: record.entrypoint.length > 0 ? record.entrypoint : null,
    user: record.user,
    workingDir: record.workingDir,
    labels: record.labels,
    stopSignal: record.stopSignal,
  }
}

/** The config's JSON: the image's, with another `config`, one more line of history and, where there is one, one more layer. */
export function committedConfig(
  record: ContainerRecord,
  run: RunConfig,
  diffId: Digest | null,
  { author, message }: CommitSpec,
  created: string,
): Record<string, unknown> {
  const base = record.imageConfig as Record<string, unknown> & { config?: object; history?: unknown[] }
  const keys = (names: readonly string[]) => Object.fromEntries(names.map(name => [name, {}]))
  const history = {
    created,
    created_by: record.cmd.join(' '),
    ...(author ? { author } : {}),
    ...(message ? { comment: message } : {}),
    ...(diffId === null ? { empty_layer: true } : {}),
  }
  const { container: _, container_config: __, id: ___, parent: ____, ...rest } = base
  return {
    ...rest,
    created,
    author: author ?? '',
    config: {
      ...base.config,
      Hostname: record.hostname,
      User: run.user,
      Env: run.env,
      Cmd: run.cmd,
      Entrypoint: run.entrypoint,
      WorkingDir: run.workingDir,
      Labels: run.labels,
      ...(run.exposedPorts.length > 0 ? { ExposedPorts: keys(run.exposedPorts) } : {}),
      Volumes: run.volumes.length > 0 ? keys(run.volumes) : null,
      OnBuild: run.onBuild.length > 0 ? run.onBuild : null,
      ...(run.stopSignal === null ? {} : { StopSignal: run.stopSignal }),
      ...(run.healthcheck === null ? {} : { Healthcheck: healthcheckJson(run.healthcheck) }),
    },
    history: [...(base.history ?? []), history],
    rootfs: { type: 'layers', diff_ids: [...record.chain, ...(diffId === null ? [] : [diffId])] },
  }
}

function healthcheckJson(check: NonNullable<RunConfig['healthcheck']>): object {
  const { test, interval, timeout, startPeriod, startInterval, retries } = check
  const times = { Interval: interval, Timeout: timeout, StartPeriod: startPeriod, StartInterval: startInterval }
  const given = Object.entries({ ...times, Retries: retries }).filter(([, value]) => value > 0)
  return { Test: test, ...Object.fromEntries(given) }
}
