/**
 * The file with what the program remembers of the person's answers: `$XDG_CONFIG_HOME/strata/settings.json`. It can be
 * written by hand too. Keys that this version does not know stay as they are.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import envPaths from 'env-paths'
import * as z from 'zod'
import type { Settings } from '../actions/settings.ts'
import { asFault, Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'

const shape = z.looseObject({ fastRemote: z.enum(['always', 'never']).optional() })

export function settingsFile(): string {
  return join(envPaths('strata', { suffix: '' }).config, 'settings.json')
}

/** What is remembered; nothing where there is no file that one may read. @throws Fault when it is something else. */
export async function readSettings(file = settingsFile()): Promise<Settings> {
  try {
    return shape.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(String((error as NodeJS.ErrnoException).code))) return {}
    const how = { hint: `What it may hold: {"fastRemote": "always" or "never"}. Without the file you are asked.` }
    if (error instanceof SyntaxError || error instanceof z.ZodError)
      throw new Fault(`The settings in ${safe(file)} make no sense.`, { ...how, cause: error })
    throw asFault(error, `The settings in ${safe(file)} can not be read`)
  }
}

/** Adds to what is remembered. Readers see the old file or the new one. @throws Fault */
export async function remember(settings: Settings, file = settingsFile()): Promise<void> {
  const all = { ...(await readSettings(file)), ...settings }
  const unfinished = `${file}.${randomBytes(6).toString('hex')}`
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await writeFile(unfinished, `${JSON.stringify(all, null, 2)}\n`, { flag: 'wx', mode: 0o600 })
    await rename(unfinished, file)
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => {})
    throw asFault(error, `The settings in ${safe(file)} can not be written`)
  }
}
