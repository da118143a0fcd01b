/** `--cidfile`: a file that must not be there yet gets the container's id; one without an id goes again. */
import { rmSync, writeFileSync } from 'node:fs'
import { Fault, reasonOf } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import type { Options } from '../program.ts'

/** Takes the file's name for itself; null where none is asked for. Throws a Fault (exit code 125) when it is there. */
export function openCidFile(options: Options): ((id: string) => void) | null {
  const path = options.cidfile as string | undefined
  if (path === undefined) return null
  try {
    writeFileSync(path, '', { flag: 'wx' })
  } catch (error) {
    const there = (error as { code?: unknown }).code === 'EEXIST'
    throw new Fault(
      there
        ? `Container ID file found, make sure the other container isn't running or delete ${safe(path)}.`
        : `${safe(path)} can not be written: ${reasonOf(error)}.`,
      { cause: error, exitCode: 125 },
    )
  }
  let written = false
  process.once('exit', () => {
    if (!written) rmSync(path, { force: true })
  })
  return id => {
    writeFileSync(path, id)
    written = true
  }
}
