/**
 * The parts of the README that are made from the program: the tables of keys and the golden frames. `node
 * test/harness/readme.ts` writes them anew; a test compares.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import type { Action } from '../../src/actions/action.ts'
import { containersActions } from '../../src/actions/containers.ts'
import { explorerActions } from '../../src/actions/explorer.ts'
import { globalActions } from '../../src/actions/global.ts'
import { imagesActions } from '../../src/actions/images.ts'
import { journalActions } from '../../src/actions/journal-screen.ts'
import { keyLabels } from '../../src/actions/keys.ts'
import { logsActions } from '../../src/actions/logs.ts'
import { processesActions } from '../../src/actions/processes.ts'
import { pruneActions, storageActions } from '../../src/actions/storage.ts'

const file = new URL('../../README.md', import.meta.url)

/** The README as it stands, and as it should. */
export function readme(): { written: string; wanted: string } {
  const written = readFileSync(file, 'utf8')
  let wanted = written
  for (const [name, make] of Object.entries(parts)) wanted = filled(wanted, name, make())
  return { written, wanted }
}

/** Frames of the README, the first one there is. */
const frames = ['explorer/tree/120x36', 'explorer/tree/80x24']

const parts = {
  keys: () =>
    [
      table('Everywhere', globalActions),
      table('Images', imagesActions),
      table('Containers', containersActions),
      table('Logs of a container', logsActions),
      table('Processes of a container', processesActions),
      table('Journal', journalActions),
      table('Storage', storageActions),
      table('Prune', pruneActions),
      table('Explorer', explorerActions),
    ].join('\n\n'),
  screens: () => {
    const path = frames
      .map(name => new URL(`../../snapshots/${name}.txt`, import.meta.url))
      .find(one => existsSync(one))
    return path ? `\`\`\`\n${readFileSync(path, 'utf8').trimEnd()}\n\`\`\`` : ''
  },
}

function table(title: string, actions: readonly Action<never>[]): string {
  const rows = actions.map(({ keys, title }) => `| ${cell(keyLabels(keys))} | ${cell(title)} |`)
  return [`| ${title} | |`, '|---|---|', ...rows].join('\n')
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}

/** Replaces what stands between `<!-- name -->` and `<!-- /name -->`. */
function filled(text: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`the README has no ${begin} … ${end}`)
  return `${text.slice(0, from + begin.length)}\n${content}\n${text.slice(to)}`
}

if (process.argv[1] && import.meta.url.endsWith(process.argv[1])) writeFileSync(file, readme().wanted)
