/** Lines into a file of the person's choice. */
import { randomBytes } from 'node:crypto'
import { lstat, readlink, rename, rm, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { asFault, Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'

/**
 * Gives false, and writes nothing, when the file is there and is not to be written over. With `over` the new file takes
 * the old one's place whole, at once. Only an ordinary file is ever written over: never what a symbolic link leads to, a
 * directory, a device. Rejects with a Fault.
 */
export async function saveLines(
  path: string,
  lines: readonly string[],
  { over = false }: { over?: boolean } = {},
): Promise<boolean> {
  const place = path.replace(/^~(?=\/)/, homedir())
  try {
    if (!over) return await written(place, lines)
    await mayBeReplaced(place)
    const { mode } = await stat(place)
    const beside = `${place}.${randomBytes(4).toString('hex')}.new`
    try {
      await writeFile(beside, textOf(lines), { flag: 'wx', mode: mode & 0o777 })
      await rename(beside, place)
    } finally {
      await rm(beside, { force: true })
    }
    return true
  } catch (error) {
    throw asFault(error, `${safe(place)} can not be written`)
  }
}

/** A new file; false where something has the name. */
async function written(place: string, lines: readonly string[]): Promise<boolean> {
  try {
    await writeFile(place, textOf(lines), { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    await mayBeReplaced(place)
    return false
  }
}

/** Throws a Fault where it is anything but an ordinary file. */
async function mayBeReplaced(place: string): Promise<void> {
  const there = await lstat(place)
  if (there.isFile()) return
  const what = there.isSymbolicLink()
    ? `a symbolic link to ${safe(await readlink(place))}`
    : there.isDirectory()
      ? 'a directory'
      : 'no ordinary file'
  throw new Fault(`${safe(place)} is ${what}, and is not written over.`, { hint: 'Choose another name.' })
}

function textOf(lines: readonly string[]): string {
  return lines.map(line => `${line}\n`).join('')
}
