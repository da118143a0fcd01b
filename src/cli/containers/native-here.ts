/** Native containers at this terminal: we become the helper, which has it from then on. */
import type { ExecSpec } from '../../engine/containers.ts'
import { execOptions } from '../../engine/native/exec-options.ts'
import { becomeHelper } from '../../runtime/containers/become.ts'
import type { ContainerRecord } from '../../runtime/containers/record.ts'
import { findContainer } from '../../runtime/containers/shelf.ts'
import { attachedRun } from '../../runtime/containers/start.ts'
import type { Places } from '../../runtime/places.ts'
import { ownPlaces } from './places.ts'

export interface Here {
  stdin: boolean
  detachKeys?: string | undefined
}

/** Starts it and stays with it. */
export async function runHere(places: Places, record: ContainerRecord, detachKeys?: string): Promise<never> {
  return becomeHelper(places, 'run', await attachedRun(places, record, detachKeys))
}

export async function startHere(id: string, { detachKeys }: Here): Promise<never> {
  const places = ownPlaces()
  return runHere(places, findContainer(places.containers, id), detachKeys)
}

export function attachHere(id: string, { stdin, detachKeys }: Here): never {
  const options = [...(stdin ? [] : ['--no-stdin']), ...(detachKeys === undefined ? [] : ['--detach-keys', detachKeys])]
  return becomeHelper(ownPlaces(), 'attach', [...options, id])
}

/** With `detach` it comes back when the command runs. */
export function execHere(id: string, spec: ExecSpec, detach: boolean): never {
  const options = [...(detach ? ['--detach'] : []), ...execOptions(spec)]
  return becomeHelper(ownPlaces(), 'exec', [...options, id, ...spec.command])
}
