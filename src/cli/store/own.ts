/** What every verb of the native store begins with. */
import { homedir } from 'node:os'
import process from 'node:process'
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import { type Places, placesOf } from '../../runtime/places.ts'
import type { Options } from '../program.ts'

/** Where the store is. @throws Fault (exit code 2) when another engine is asked for. */
export function ownStore(verb: string, { engine, context }: Options): Places {
  if ((engine !== undefined && engine !== 'native') || context !== undefined) {
    const other = engine === 'podman' ? 'podman' : 'docker'
    throw new Fault(`strata ${verb} works on the native store, not on ${safe(String(engine ?? 'a Docker context'))}.`, {
      exitCode: 2,
      hint: `${other} ${verb} does it there.`,
    })
  }
  return placesOf(process.env, homedir(), process.getuid?.() === 0)
}
