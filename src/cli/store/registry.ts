/** How the command line reaches registries, and what it shows of a pull. */
import type { PullProgress } from '../../actions/registry-service.ts'
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import type { LayerPhase } from '../../engine/native/pull.ts'
import { type ImageName, parseImageName } from '../../image/image-name.ts'
import type { Digest } from '../../image/types.ts'
import { registryAccess } from '../../source/registry/access.ts'
import type { RegistryAccess } from '../../source/registry/types.ts'
import type { Options } from '../program.ts'
import { surroundings } from '../surroundings.ts'
import { usage } from '../usage.ts'
import type { LayerLine, LayerLines } from './pull-progress.ts'

/** With what the options say of TLS. */
export function accessOf(options: Options, tell?: (sentence: string) => void): RegistryAccess {
  return registryAccess(surroundings(), { tlsVerify: tlsVerifyOf(options), tell })
}

/** `--tls-verify=false`, as podman and skopeo spell it. @throws Fault (exit code 2) for what is neither. */
export function tlsVerifyOf({ tlsVerify }: Options): boolean {
  if (tlsVerify === undefined || /^(?:true|1|yes)$/i.test(String(tlsVerify))) return true
  if (/^(?:false|0|no)$/i.test(String(tlsVerify))) return false
  throw usage(`--tls-verify is true or false, and “${safe(String(tlsVerify))}” is neither.`)
}

/** What a person calls an image of a registry: `NAME`, or with `docker://` before it. */
export function registryNameOf(text: string): ImageName {
  const name = parseImageName(text.replace(/^docker:\/\//, ''))
  if (name.repository !== null) return name
  throw new Fault(`“${safe(text)}” is an image id; a registry needs a name.`, { exitCode: 2 })
}

/** docker's words for what happens to a layer. */
const words: Record<LayerPhase, Pick<LayerLine, 'doing' | 'kind'>> = {
  waiting: { doing: 'Waiting', kind: 'waits' },
  fetching: { doing: 'Downloading', kind: 'moves' },
  again: { doing: 'Retrying', kind: 'waits' },
  checking: { doing: 'Verifying', kind: 'waits' },
  there: { doing: 'Already exists', kind: 'over' },
  done: { doing: 'Pull complete', kind: 'over' },
}

/** What `pullImage` tells, into lines. */
export function toLines(lines: LayerLines) {
  return (digest: Digest, done: number, total: number | null, phase: LayerPhase): void =>
    lines.layer({ digest, done, total, ...words[phase] })
}

/** The same for a screen. */
export function toProgress(progress: (of: PullProgress) => void) {
  return (layer: Digest, done: number, total: number | null, phase: LayerPhase): void => {
    const { doing, kind } = words[phase]
    progress({ layer, done, total, doing, over: kind === 'over' })
  }
}

/** Whether the native store is meant, and no daemon. */
export function isNative({ engine, context }: Options): boolean {
  return (engine === undefined || engine === 'native') && context === undefined
}
