/** Images in files: what reading them costs next to the tools that read every byte. */
import { fileURLToPath } from 'node:url'
import type { Cost } from '../harness/measured.ts'
import { analyse, type Bench, describe, dive, nothing, type Row, rowsOf, shell } from './bench.ts'
import { compressedImage, ordinaryImage, splitOf, tallImage, twinImage, wideImage } from './inputs.ts'
import { race } from './measure.ts'

export async function plain(bench: Bench): Promise<Row[]> {
  const image = await ordinaryImage(bench.folder, bench.scale)
  const costs = await race(bench.meter, bench.rounds, [
    analyse(bench, 'cold', image, { cold: true }),
    analyse(bench, 'again', image, { cold: false }),
    nothing(bench),
    shell('cat', 'cat "$1" > /dev/null', [image.path]),
    shell('tar -tf', 'for tar; do tar -tf "$tar"; done > /dev/null', image.tars),
    shell('bsdtar -tf', 'for tar; do bsdtar -tf "$tar"; done > /dev/null', image.tars),
    ...dive(`docker-archive://${image.path}`),
  ])
  const of = (name: string) => costs.get(name) as Cost
  const [wall, cpu] = [of('cold').wall - of('nothing').wall, of('cold').cpu - of('nothing').cpu]
  const row = rowsOf(`plain archive, ${describe(image)}`)
  return [
    row('wall, without the start', wall, 's', of('cat').wall, { name: 'cat', value: of('cat').wall }),
    row('CPU, without the start', cpu, 's', of('tar -tf').cpu * 1.3, { name: 'tar -tf', value: of('tar -tf').cpu }),
    row('CPU, without the start', cpu, 's', Number.POSITIVE_INFINITY, {
      name: 'bsdtar -tf',
      value: of('bsdtar -tf').cpu,
    }),
    row('wall, cold index', of('cold').wall, 's', of('cat').wall + 0.3, { name: 'cat', value: of('cat').wall }),
    row('resident, cold index', of('cold').memory / 1e6, 'MB', 200),
    row('wall, from the index cache', of('again').wall, 's', 0.3),
    ...besideDive(row, of('cold'), costs.get('dive')),
  ]
}

/** How far ahead of the peer we are; nothing where it is not there. */
export function besideDive(row: ReturnType<typeof rowsOf>, ours: Cost, peer: Cost | undefined): Row[] {
  if (!peer) return []
  return [
    row('wall', ours.wall, 's', Number.POSITIVE_INFINITY, { name: 'dive', value: peer.wall }),
    row('resident', ours.memory / 1e6, 'MB', Number.POSITIVE_INFINITY, { name: 'dive', value: peer.memory / 1e6 }),
  ]
}

/** `target`: how many times the CPU of the tool that only decompresses. */
export async function compressed(bench: Bench, how: 'gzip' | 'zstd', target: number): Promise<Row[]> {
  const image = await compressedImage(await ordinaryImage(bench.folder, bench.scale), bench.folder, how)
  const tool = how === 'gzip' ? 'igzip -dc' : 'zstd -dc'
  const costs = await race(bench.meter, bench.rounds, [
    analyse(bench, 'ours', image, { cold: true }),
    nothing(bench),
    shell(tool, `for blob; do ${tool} < "$blob"; done > /dev/null`, image.blobs),
    shell('tar -tf', `for blob; do ${tool} < "$blob" | tar -tf -; done > /dev/null`, image.blobs),
    shell('bsdtar -tf', 'for blob; do bsdtar -tf "$blob"; done > /dev/null', image.blobs),
  ])
  const of = (name: string) => costs.get(name) as Cost
  const cpu = of('ours').cpu - of('nothing').cpu
  const row = rowsOf(`${how} layers, ${describe(image)}`)
  return [
    row('CPU, without the start', cpu, 's', of(tool).cpu * target, { name: tool, value: of(tool).cpu }),
    row('CPU, without the start', cpu, 's', Number.POSITIVE_INFINITY, {
      name: 'bsdtar -tf',
      value: of('bsdtar -tf').cpu,
    }),
    row('wall', of('ours').wall, 's', Number.POSITIVE_INFINITY, {
      name: `${tool} | tar -tf`,
      value: of('tar -tf').wall,
    }),
    row('resident', of('ours').memory / 1e6, 'MB', 250),
  ]
}

/** Two layers at once have to be 1.6 times as fast as one after the other: they may take 1.25 times as long as one. */
export async function parallel(bench: Bench): Promise<Row[]> {
  const [one, two] = [await twinImage(bench.folder, bench.scale, 1), await twinImage(bench.folder, bench.scale, 2)]
  const costs = await race(bench.meter, bench.rounds, [
    analyse(bench, 'one', one, { cold: true }),
    analyse(bench, 'two', two, { cold: true }),
    nothing(bench),
  ])
  const wall = (name: string) => (costs.get(name) as Cost).wall - (costs.get('nothing') as Cost).wall
  const row = rowsOf(`two gzip layers in parallel, ${describe(two)}`)
  return [row('wall', wall('two'), 's', wall('one') * 1.25, { name: 'one of them', value: wall('one') })]
}

/** The list of a layer's files as engines keep it, without the program around its reading. */
export async function split(bench: Bench): Promise<Row[]> {
  const { path, image } = await splitOf(bench.folder, bench.scale)
  const script = fileURLToPath(new URL('./index-split.ts', import.meta.url))
  const costs = await race(bench.meter, bench.rounds, [
    { name: 'ours', program: process.execPath, args: [script, path] },
    { name: 'nothing', program: process.execPath, args: [script] },
    shell('gzip -dc', 'gzip -dc "$1" > /dev/null', [path]),
  ])
  const cpu = (name: string) => (costs.get(name) as Cost).cpu
  const row = rowsOf(`tar-split of a layer, ${describe(image)}`)
  const limit = { name: 'gzip -dc', value: cpu('gzip -dc') * 1000 }
  return [row('CPU', (cpu('ours') - cpu('nothing')) * 1000, 'ms', 300 * bench.scale, limit)]
}

export async function wide(bench: Bench): Promise<Row[]> {
  const image = await wideImage(bench.folder, bench.scale)
  const costs = await race(bench.meter, bench.rounds, [
    analyse(bench, 'ours', image, { cold: true }),
    shell('tar -tf', 'tar -tf "$1" > /dev/null', image.tars),
    shell('bsdtar -tf', 'bsdtar -tf "$1" > /dev/null', image.tars),
  ])
  const of = (name: string) => costs.get(name) as Cost
  const row = rowsOf(`one layer, ${describe(image)}`)
  return [
    row('CPU, analyze', of('ours').cpu, 's', 3, { name: 'tar -tf', value: of('tar -tf').cpu }),
    row('CPU, analyze', of('ours').cpu, 's', 3, { name: 'bsdtar -tf', value: of('bsdtar -tf').cpu }),
    row('resident, analyze', of('ours').memory / 1e6, 'MB', 250),
  ]
}

/** Twice the layers and deletions may cost twice the time, not four times. The start of the program is taken off. */
export async function tall(bench: Bench): Promise<Row[]> {
  const [low, high] = [await tallImage(bench.folder, 60, 150), await tallImage(bench.folder, 120, 300)]
  const costs = await race(bench.meter, bench.rounds, [
    analyse(bench, '60', low, { cold: true }),
    analyse(bench, '120', high, { cold: true }),
    nothing(bench),
  ])
  const of = (name: string) => (costs.get(name) as Cost).cpu
  const base = of('60') - of('nothing')
  const row = rowsOf('120 layers, 300 deletions')
  return [
    row('CPU, next to 60 layers and 150', of('120') - of('nothing'), 's', base * 2.4, {
      name: 'half of it',
      value: base,
    }),
  ]
}
