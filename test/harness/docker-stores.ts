/** Docker's graph-driver store as files, made without Docker: for what a real daemon would never leave behind. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { chainIds } from '../../src/image/digest.ts'
import { hex, type MadeImage } from './images.ts'
import { tarSplit } from './tar-split.ts'

/** Writes images into a data root, in the shape of overlay2. Files of layers are unpacked where no marker is among them. */
export function writeDockerStore(root: string, images: readonly MadeImage[]): void {
  const base = join(root, 'image/overlay2')
  const repositories: Record<string, Record<string, string>> = {}
  for (const image of images) {
    put(join(base, 'imagedb/content/sha256', hex(image.id)), image.config)
    const chain = chainIds(image.layers.map(layer => layer.diffId))
    for (const [at, layer] of image.layers.entries()) {
      const folder = join(base, 'layerdb/sha256', hex(chain[at]!))
      const cacheId = hex(chain[at]!).slice(0, 25)
      put(join(folder, 'diff'), layer.diffId)
      put(join(folder, 'cache-id'), cacheId)
      put(join(folder, 'size'), String(layer.tar.length))
      if (at > 0) put(join(folder, 'parent'), chain[at - 1]!)
      put(join(folder, 'tar-split.json.gz'), tarSplit(layer.tar))
      const diff = join(root, 'overlay2', cacheId, 'diff')
      mkdirSync(diff, { recursive: true })
      execFileSync('tar', ['-xf', '-', '-C', diff], { input: layer.tar })
    }
    for (const name of image.spec.names ?? []) {
      const repository = name.replace(/:[^:/]*$/, '')
      repositories[repository] = { ...repositories[repository], [name]: image.id }
    }
  }
  put(join(base, 'repositories.json'), JSON.stringify({ Repositories: repositories }))
}

function put(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}
