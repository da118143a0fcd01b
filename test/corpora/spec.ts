/**
 * The cases of the OCI image-spec: configs, manifests, indexes and layouts, good and bad, each put into a layout of its
 * own and opened. A good one opens, unless all that fails is that the blobs it names are not there; a bad one opens
 * leniently or is refused in a clear sentence. Nothing else may come out.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { openImage } from '../../src/source/open.ts'
import type { Report } from './report.ts'
import { clearError } from './tars.ts'

interface SpecCase {
  file: string
  kind: string
  n: number
  fail: boolean | null
  json: string
}

const oci = 'application/vnd.oci.image'

export async function checkSpec(folder: string, report: Report): Promise<void> {
  const path = join(folder, 'cases.json')
  if (!existsSync(path)) return
  for (const one of JSON.parse(readFileSync(path, 'utf8')) as SpecCase[]) {
    await report.run(`spec-image/${one.kind} ${one.n}`, () => checkCase(one))
  }
}

async function checkCase(one: SpecCase): Promise<string[]> {
  const root = mkdtempSync(join(tmpdir(), 'strata-spec-'))
  try {
    for (const [name, content] of Object.entries(layoutFor(one))) {
      mkdirSync(dirname(join(root, name)), { recursive: true })
      writeFileSync(join(root, name), content)
    }
    await (await openImage(root, { cache: false })).close()
    return []
  } catch (error) {
    const unclear = clearError(error)
    if (unclear.length > 0) return unclear
    const whole = one.kind === 'config' || one.kind === 'imagelayout'
    return one.fail === false && whole ? [`refused: ${(error as Error).message}`] : []
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

/** A layout that is sound but for the case in it. */
function layoutFor({ kind, json }: SpecCase): Record<string, string> {
  const files: Record<string, string> = {}
  const blob = (content: string, mediaType: string) => {
    const hex = createHash('sha256').update(content).digest('hex')
    files[`blobs/sha256/${hex}`] = content
    return { mediaType, digest: `sha256:${hex}`, size: Buffer.byteLength(content) }
  }
  const plain = JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] } })
  const config = blob(kind === 'config' ? json : plain, `${oci}.config.v1+json`)
  const own = JSON.stringify({ schemaVersion: 2, mediaType: `${oci}.manifest.v1+json`, config, layers: [] })
  const manifest: unknown =
    kind === 'descriptor' ? parsed(json) : blob(kind === 'manifest' ? json : own, `${oci}.manifest.v1+json`)
  files['oci-layout'] = kind === 'imagelayout' ? json : '{"imageLayoutVersion":"1.0.0"}'
  files['index.json'] = kind === 'imageindex' ? json : JSON.stringify({ schemaVersion: 2, manifests: [manifest] })
  return files
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return json
  }
}
