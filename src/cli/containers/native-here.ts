/** Native containers at this terminal: the helper has it meanwhile. */
import type { ExecSpec } from '../../engine/containers.ts'
import { execOptions } from '../../engine/native/session.ts'
import { callHelper } from '../../runtime/containers/call.ts'
import { callHere } from '../../runtime/containers/foreground.ts'
import { findContainer } from '../../runtime/containers/shelf.ts'
import { runContainerHere } from '../../runtime/containers/start.ts'
import { ownPlaces } from './places.ts'

export interface Here {
  stdin: boolean
  detachKeys?: string | undefined
}

export async function startHere(id: string, { detachKeys }: Here): Promise<number> {
  const places = ownPlaces()
  return statusOf(await runContainerHere(places, findContainer(places.containers, id), { detachKeys }))
}

export async function attachHere(id: string, { stdin, detachKeys }: Here): Promise<number> {
  const options = [...(stdin ? [] : ['--no-stdin']), ...(detachKeys === undefined ? [] : ['--detach-keys', detachKeys])]
  return statusOf(await callHere(ownPlaces(), 'attach', [...options, id]))
}

export async function execHere(id: string, spec: ExecSpec): Promise<number> {
  return statusOf(await callHere(ownPlaces(), 'exec', [...execOptions(spec), id, ...spec.command]))
}

export async function execDetached(id: string, spec: ExecSpec): Promise<void> {
  await callHelper(ownPlaces(), ['exec', '--detach', ...execOptions({ ...spec, stdin: false }), id, ...spec.command])
}

function statusOf({ status, fault }: { status: number; fault: Error | null }): number {
  if (fault) throw fault
  return status
}
