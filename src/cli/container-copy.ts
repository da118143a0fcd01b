/** Files between a container and this machine, and what is in a container's directories, for the screens. */

import type { Copying } from '../actions/containers-service.ts'
import type { Work } from '../base/progress.ts'
import type { ContainerEngine } from '../engine/containers.ts'
import { Kind } from '../layer/entry.ts'
import { ABSENT, IMPLIED } from '../layer/stack.ts'
import { analyse } from './analysis.ts'
import { copyInto, copyOutTo } from './containers/cp.ts'
import { openLive } from './live-service.ts'
import type { Options } from './program.ts'
import { resolvePath } from './resolve.ts'

/** By docker's rules for names; progress in bytes of the tar. Rejects with a Fault. */
export async function copyAt(
  { containers }: ContainerEngine,
  id: string,
  { out, inside, here, owners, followLink }: Copying,
  { signal, onProgress }: Work,
): Promise<void> {
  const onBytes = (done: number) => onProgress?.({ done, total: null })
  const how = { signal, onBytes, archive: owners, followLink }
  if (out) await copyOutTo(containers, id, inside, here, how)
  else await copyInto(containers, id, here, inside, how)
}

/** More names than that are no help, and more bytes of them no names. */
const MOST_NAMES = 1000
const MOST_BYTES = 256 * 1024
/** Milliseconds for a program in the container. */
const PATIENCE = 3000

/**
 * The names in a directory of a container, directories with a slash: as its own `ls` says where it runs, else as its layers
 * have them. Rejects with a Fault when neither tells.
 */
export async function namesInside(
  engine: ContainerEngine,
  { id, name, running }: { id: string; name: string; running: boolean },
  path: string,
  options: Options,
): Promise<string[]> {
  const listed = running ? await listedBy(engine, id, path).catch(() => null) : null
  return listed ?? fromLayers(engine, name, path, options)
}

/** null: there is no `ls`, or no such directory. */
async function listedBy({ containers }: ContainerEngine, id: string, path: string): Promise<string[] | null> {
  const session = await containers.exec(id, { command: ['ls', '-1Ap', '--', path] })
  const late = setTimeout(() => session.close(), PATIENCE)
  try {
    session.errors?.resume()
    let text = ''
    for await (const bytes of session.output) {
      text += bytes
      if (text.length > MOST_BYTES) break
    }
    session.close()
    const code = text.length > MOST_BYTES ? 0 : await session.ended.catch(() => null)
    return code === 0 || (code === null && text !== '') ? text.split('\n').filter(Boolean).slice(0, MOST_NAMES) : null
  } finally {
    clearTimeout(late)
    session.close()
  }
}

async function fromLayers(engine: ContainerEngine, name: string, path: string, options: Options): Promise<string[]> {
  const image = await openLive({ engine: engine.id, name }, options, {})
  try {
    const { stack } = await analyse(image)
    const top = image.layers.length - 1
    const target = { image, selector: null, step: null, top, own: top }
    const view = stack.view(top)
    const { tree } = stack
    const children = tree.children(resolvePath(stack, target, path, true))
    return children
      .filter(node => view.current[node] !== ABSENT)
      .slice(0, MOST_NAMES)
      .map(node => {
        const ref = view.current[node]!
        const folder = ref === IMPLIED || stack.kindOf(ref) === Kind.dir
        const name = Buffer.from(tree.path(node)).toString('utf8')
        return `${name.slice(name.lastIndexOf('/') + 1)}${folder ? '/' : ''}`
      })
      .sort()
  } finally {
    await image.close()
  }
}
