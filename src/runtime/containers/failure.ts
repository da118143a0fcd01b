/** Why a container did not start the last time: its own words, kept beside it until somebody tries again. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { folderOf } from './record.ts'

/** Characters that are kept. */
const MOST = 4096

/** Keeps it. What can not be kept is no reason to fail another way. */
export function noteFailure(containers: string, id: string, error: unknown): void {
  const words = error instanceof Error ? error.message : String(error)
  try {
    writeFileSync(fileOf(containers, id), words.slice(0, MOST), { mode: 0o600 })
  } catch {} // it is gone already, as with --rm
}

export function forgetFailure(containers: string, id: string): void {
  rmSync(fileOf(containers, id), { force: true })
}

/** null: it was never tried, or it started. */
export function failureOf(containers: string, id: string): string | null {
  try {
    return readFileSync(fileOf(containers, id), 'utf8').slice(0, MOST)
  } catch {
    return null
  }
}

function fileOf(containers: string, id: string): string {
  return join(folderOf(containers, id).path, 'failure')
}
