/**
 * Files out of containers and into them. The helper does it inside the container, as a process of it: no link of the
 * container's leads anywhere else. One that does not run is entered by a container of the same directories.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { random } from '../../runtime/containers/random.ts'
import { type ContainerRecord, folderOf } from '../../runtime/containers/record.ts'
import { faultOf, findHelper } from '../../runtime/find-helper.ts'
import { outputOf } from '../../runtime/pack.ts'
import type { Places } from '../../runtime/places.ts'

/** A tar of the path. The stream fails with a Fault when there is no such path. */
export function copyOut(places: Places, record: ContainerRecord, running: boolean, path: string): Readable {
  return Readable.from(copied(places, record, running, path), { objectMode: false })
}

async function* copied(places: Places, record: ContainerRecord, running: boolean, path: string) {
  const { args, done } = words(places, record, running, ['strata:copy-out', path])
  try {
    const child = spawn(findHelper(), args, { stdio: ['ignore', 'pipe', 'pipe'] })
    yield* outputOf(child, 'copy')
  } finally {
    done()
  }
}

/** Unpacks the tar into the directory. */
export async function copyIn(
  places: Places,
  record: ContainerRecord,
  running: boolean,
  path: string,
  tar: Readable,
  signal?: AbortSignal,
): Promise<void> {
  const { args, done } = words(places, record, running, ['strata:copy-in', path])
  try {
    const child = spawn(findHelper(), args, { stdio: ['pipe', 'ignore', 'pipe'], signal })
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-8192)
    })
    const ended = new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', code => resolve(code ?? 128))
    })
    const fed = await pipeline(tar, child.stdin).catch(error => error as Error)
    const code = await ended
    if (code !== 0) throw faultOf('copy', code, said)
    if (fed instanceof Error) throw fed
  } finally {
    done()
  }
}

/** The helper's words, and what takes back what they needed. */
function words(places: Places, record: ContainerRecord, running: boolean, command: string[]) {
  if (running) {
    const args = ['--root', places.state, 'exec', '--user', '0:0', '--cwd', '/', record.id, ...command]
    return { args, done: () => {} }
  }
  const folder = folderOf(places.containers, record.id)
  const bundle = join(folder.path, `copy-${random(4).toString('hex')}`)
  const config = JSON.parse(readFileSync(join(folder.bundle, 'config.json'), 'utf8'))
  config.process = { args: command, env: [], cwd: '/', terminal: false }
  config.linux = { namespaces: ['pid', 'mount', 'ipc', 'uts', 'network'].map(type => ({ type })) }
  config.strata = { overlay: { ...config.strata.overlay, volatile: false }, user: '0' }
  mkdirSync(bundle, { mode: 0o700 })
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(config), { mode: 0o600 })
  return {
    args: ['--root', places.state, 'run', '--foreground', '--bundle', bundle, 'copy'],
    done: () => rmSync(bundle, { recursive: true, force: true }),
  }
}
