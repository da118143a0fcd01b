/** Names that go on from a path being typed. */
import { readdir } from 'node:fs/promises'
import { homedir } from 'node:os'

/** More names than that are not offered. */
const MOST = 200

/**
 * Files and directories whose path begins with `text`, in order, directories with a slash at the end; hidden ones only
 * when the text asks for them. `~/` is the home directory. Nothing for a directory that can not be read.
 */
export async function completePath(text: string): Promise<string[]> {
  if (text === '~') return ['~/']
  const cut = text.lastIndexOf('/') + 1
  const [folder, start] = [text.slice(0, cut), text.slice(cut)]
  const entries = await readdir(expandHome(folder) || '.', { withFileTypes: true }).catch(() => [])
  return entries
    .filter(({ name }) => name.startsWith(start) && (start !== '' || !name.startsWith('.')))
    .map(entry => `${folder}${entry.name}${entry.isDirectory() ? '/' : ''}`)
    .sort()
    .slice(0, MOST)
}

/** The path with `~/` at its start replaced by the home directory. */
export function expandHome(path: string): string {
  return path.startsWith('~/') ? `${homedir()}${path.slice(1)}` : path
}
