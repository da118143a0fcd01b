/**
 * This process becomes the helper: what a command line that runs a container has to do last. Nothing of Node is left to
 * wait, to pass signals on or to hold memory while the container runs, and the exit status is the command's by itself.
 */
import { flushCompileCache } from 'node:module'
import process from 'node:process'
import { findHelper } from '../find-helper.ts'
import type { Places } from '../places.ts'

/** Does not come back. The helper says its errors to the person, as we would. Throws a Fault where there is no helper. */
export function becomeHelper(places: Places, verb: string, args: readonly string[]): never {
  const helper = findHelper()
  flushCompileCache()
  return process.execve!(helper, [helper, '--root', places.state, '--speak-as', 'strata', verb, ...args])
}
