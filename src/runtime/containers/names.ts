/**
 * Names of containers. Each is a file in `containers/names/` that holds the container's id: made exclusively, so that no
 * two containers ever have one name, however many Stratas there are.
 */
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import { anyOf, random } from './random.ts'
import { readRecord } from './record.ts'

/** Takes the name for a container, whose folder stands already. Throws a Fault when another one has it. */
export function claimName(containers: string, name: string, id: string): void {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,127}$/.test(name))
    throw new Fault(`“${safe(name)}” is no name for a container.`, {
      hint: 'A name is two or more letters, digits, dots, dashes and underscores, and begins with a letter or a digit.',
      exitCode: 125,
    })
  mkdirSync(join(containers, 'names'), { recursive: true, mode: 0o700 })
  for (let tries = 0; tries < 8; tries++) {
    if (tryClaim(containers, name, id)) return
    const holder = holderOf(containers, name)
    if (holder !== null && isHeld(containers, name, holder))
      throw new Fault(`The name “${name}” belongs to the container ${holder.slice(0, 12)}.`, {
        hint: `Remove or rename that one: strata rm ${name}`,
        exitCode: 125,
      })
    if (holder !== null) releaseName(containers, name, holder)
  }
  throw new Fault(`The name “${name}” can not be taken.`, { exitCode: 125 })
}

/** Takes a name that nobody has and gives it. */
export function claimSomeName(containers: string, id: string): string {
  for (let tries = 0; tries < 200; tries++) {
    const name = randomName() + (tries > 20 ? random(1)[0] : '')
    mkdirSync(join(containers, 'names'), { recursive: true, mode: 0o700 })
    if (tryClaim(containers, name, id)) return name
  }
  claimName(containers, id, id)
  return id
}

/** The id of the container of this name, null when there is none. */
export function holderOf(containers: string, name: string): string | null {
  if (!/^[\w.-]{1,128}$/.test(name) || name === '.' || name === '..') return null
  try {
    return readFileSync(namePlace(containers, name), 'utf8')
  } catch {
    return null
  }
}

/** The file that is the name. */
export function namePlace(containers: string, name: string): string {
  return join(containers, 'names', name)
}

/** Gives the name back, where the container still has it. */
export function releaseName(containers: string, name: string, id: string): void {
  if (holderOf(containers, name) === id) rmSync(namePlace(containers, name), { force: true })
}

/** Whole from its first moment on: nobody ever reads a file without an id. */
function tryClaim(containers: string, name: string, id: string): boolean {
  const fresh = join(containers, 'names', `.${id}`)
  writeFileSync(fresh, id, { mode: 0o600 })
  try {
    linkSync(fresh, namePlace(containers, name))
    return true
  } catch (error) {
    if ((error as { code?: unknown }).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(fresh, { force: true })
  }
}

/** A name outlives its container where Strata was killed in between; one that is new belongs to a container that is being made. */
function isHeld(containers: string, name: string, id: string): boolean {
  if (readRecord(containers, id)?.name === name) return true
  const made = statSync(namePlace(containers, name), { throwIfNoEntry: false })?.ctimeMs ?? 0
  return Date.now() - made < 60_000
}

function randomName(): string {
  return `${anyOf(adjectives)}_${anyOf(surnames)}`
}

const adjectives =
  'amber basalt brave bright calm candid chalky clear clever coastal copper crisp curious deep eager early fair firm folded gentle glacial golden granite green hardy hidden honest humble igneous jolly keen kind lively lucid marble mellow mild mossy nimble patient placid plain polite proud quartz quick quiet rapid ready rugged sandy silent silver smooth steady sunny swift tidy upper vivid warm wise'.split(
    ' ',
  )

/** People who read the earth layer by layer. */
const surnames =
  'agassiz agricola anning arduino bascom bowen bragg chamberlin cuvier dana darwin daubree desmarest edinger ewing gilbert gutenberg haidinger hall hess holmes hutton inge kay knopf lapworth lehmann lomonosov lyell marsh mawson mercalli milankovitch mohs murchison oldham patterson playfair powell pumpelly richter sedgwick semenenko shen smith sorby steno strabo suess tharp walcott wegener werner wilson xu'.split(
    ' ',
  )
