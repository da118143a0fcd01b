/** A container in the foreground, on our own standard streams. */
import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findHelper } from './helper.ts'

/**
 * Runs a container to its end and gives its exit status as Docker would: the command's own, 128+n, 125, 126, 127. The
 * helper prints errors of its own on standard error and holds the terminal meanwhile: nothing else may read it.
 * `bundle` is a directory of the caller's for config.json.
 */
export async function runInForeground(bundle: string, id: string, config: object): Promise<number> {
  await writeFile(join(bundle, 'config.json'), JSON.stringify(config))
  const child = spawn(await findHelper(), ['run', '--bundle', bundle, id], { stdio: 'inherit' })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(code ?? (signal ? 128 : 125)))
  })
}
