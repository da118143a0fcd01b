/** Folders that tests write into, gone when the test is over. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type Files, writeTree } from './images.ts'

/** A folder of its own that is gone after the running test; `put` writes files or a tree into it and gives the path. */
export function scratch(): { path: string; put(name: string, content: Uint8Array | Files): string } {
  const path = mkdtempSync(join(tmpdir(), 'strata-test-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return {
    path,
    put(name, content) {
      const at = join(path, name)
      if (content instanceof Uint8Array) writeFileSync(at, content)
      else writeTree(at, content)
      return at
    },
  }
}
