/** An image of an application looked at in a registry on the loopback address: what it takes, and what has to come. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { command } from '../harness/command.ts'
import { countingProxy } from '../harness/counting-proxy.ts'
import { startRegistry } from '../harness/engines.ts'
import { digest, hex, json } from '../harness/images.ts'
import type { Cost } from '../harness/measured.ts'
import { isThere } from '../harness/needs.ts'
import { estargz, type TocLayer, zstdChunked } from '../harness/toc-layers.ts'
import { analyse, type Bench, describe, emptyCache, type Row, rowsOf } from './bench.ts'
import { compressedImage, type ImageInput, localImage } from './inputs.ts'
import { race } from './measure.ts'

const formats = { 'zstd:chunked': zstdChunked, eStargz: estargz } as const

export async function look(bench: Bench): Promise<Row[] | string> {
  for (const program of ['docker-registry', 'skopeo']) if (!isThere(program)) return `there is no ${program} here`
  const image = await localImage(bench.folder, bench.scale)
  const gzip = await compressedImage(image, join(bench.folder, 'local'), 'gzip')
  const registry = await startRegistry()
  const proxy = await countingProxy(registry.address)
  const rows: Row[] = []
  const push = (from: string, name: string) =>
    command('skopeo', ['copy', '-q', '--dest-tls-verify=false', from, `docker://${registry.address}/${name}`])
  try {
    for (const [format, make] of Object.entries(formats)) {
      const name = format.toLowerCase().replace(':', '-')
      await push(`oci:${tocLayout(join(bench.folder, `local/${name}`), image, make)}`, name)
      const row = rowsOf(`look at ${format}, ${describe(image)}`)
      const of = await timed(bench, image, `${registry.address}/${name}`)
      const { came, stored } = await counted(bench, image, `${proxy.address}/${name}`, proxy.counted)
      rows.push(
        row('wall, whole process', of('cold').wall, 's', 0.6),
        row('wall, from the index cache', of('again').wall, 's', 0.35),
        row('CPU', of('cold').cpu, 's', Number.POSITIVE_INFINITY),
        row('bytes that come', came, 'bytes', stored * 0.02, { name: 'the layers', value: stored }),
      )
    }
    await push(`oci:${gzip.path}`, 'gzip')
    const row = rowsOf(`look at gzip, ${describe(image)}`)
    const of = await timed(bench, image, `${registry.address}/gzip`)
    const { came, stored } = await counted(bench, image, `${proxy.address}/gzip`, proxy.counted)
    rows.push(
      row('wall, whole process', of('cold').wall, 's', Number.POSITIVE_INFINITY),
      row('wall, from the index cache', of('again').wall, 's', 0.35),
      row('resident', of('cold').memory / 1e6, 'MB', 250),
      row('bytes that come', came, 'bytes', stored * 1.001, { name: 'the layers', value: stored }),
    )
  } finally {
    await proxy.stop()
    await registry.stop()
  }
  return rows
}

const withoutTls = ['--tls-verify=false']

async function timed(bench: Bench, image: ImageInput, name: string): Promise<(of: string) => Cost> {
  const far = (of: string, cold: boolean) => {
    const contender = analyse(bench, of, image, { cold, reference: `docker://${name}` })
    return { ...contender, args: [...contender.args, ...withoutTls] }
  }
  const costs = await race(bench.meter, bench.rounds, [far('cold', true), far('again', false)])
  return of => costs.get(of) as Cost
}

/** Bytes of blobs that an analysis brings, and those of the layers. */
async function counted(bench: Bench, image: ImageInput, name: string, count: () => { bytes: number }) {
  const { program, args, options } = analyse(bench, 'count', image, { cold: true, reference: `docker://${name}` })
  emptyCache(bench)
  count()
  const { bytes } = JSON.parse(await command(program, [...args, ...withoutTls], { env: options?.env }))
  return { came: count().bytes, stored: Number(bytes.compressed) }
}

/** The layers of an image in another form, as an OCI layout with their annotations. */
function tocLayout(at: string, image: ImageInput, make: (tar: Uint8Array) => TocLayer): string {
  mkdirSync(join(at, 'blobs/sha256'), { recursive: true })
  const put = (bytes: Uint8Array, type: string) => {
    writeFileSync(join(at, 'blobs/sha256', hex(digest(bytes))), bytes)
    return { mediaType: `application/vnd.oci.image.${type}`, digest: digest(bytes), size: bytes.length }
  }
  const diffIds: string[] = []
  const layers = image.tars.map(path => {
    const { blob, annotations, diffId } = make(readFileSync(path))
    diffIds.push(diffId)
    return { ...put(blob, `layer.v1.tar+${blob[0] === 0x1f ? 'gzip' : 'zstd'}`), annotations }
  })
  const rootfs = { type: 'layers', diff_ids: diffIds }
  const config = put(json({ os: 'linux', architecture: 'amd64', rootfs }), 'config.v1+json')
  const manifest = put(json({ schemaVersion: 2, config, layers }), 'manifest.v1+json')
  writeFileSync(join(at, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }))
  writeFileSync(join(at, 'index.json'), json({ schemaVersion: 2, manifests: [manifest] }))
  return at
}
