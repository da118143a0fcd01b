/** Lines into a file of the person's choice. */
import { writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { asFault, Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'

/** Never writes over a file. Rejects with a Fault. */
export async function saveLines(path: string, lines: readonly string[]): Promise<void> {
  const place = path.replace(/^~(?=\/)/, homedir())
  try {
    await writeFile(place, lines.map(line => `${line}\n`).join(''), { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new Fault(`${safe(place)} is there already, and is not written over.`, { hint: 'Choose another name.' })
    throw asFault(error, `${safe(place)} can not be written`)
  }
}
