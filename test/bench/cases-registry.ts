/** An image pulled from a registry on the loopback address, next to what copies it into a folder. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { command } from '../harness/command.ts'
import { startRegistry } from '../harness/engines.ts'
import type { Cost } from '../harness/measured.ts'
import { isThere } from '../harness/needs.ts'
import { type Bench, describe, type Row, rowsOf } from './bench.ts'
import { pulledImage } from './inputs.ts'
import { race } from './measure.ts'

export async function pull(bench: Bench): Promise<Row[] | string> {
  for (const program of ['docker-registry', 'skopeo']) if (!isThere(program)) return `there is no ${program} here`
  const image = await pulledImage(bench.folder, bench.scale)
  const registry = await startRegistry()
  const name = `${registry.address}/pulled:1`
  const root = join(bench.folder, 'pulled-strata')
  const layout = join(bench.folder, 'pulled-skopeo')
  const clear = () => {
    for (const path of [root, layout]) rmSync(path, { recursive: true, force: true })
  }
  try {
    await command('skopeo', ['copy', '-q', '--dest-tls-verify=false', `oci:${image.path}`, `docker://${name}`])
    const costs = await race(bench.meter, bench.rounds, [
      {
        name: 'strata',
        program: bench.program,
        args: ['pull', '-q', '--tls-verify=false', name],
        options: { env: { ...process.env, STRATA_ROOT: root } },
        before: clear,
      },
      {
        name: 'skopeo',
        program: 'skopeo',
        args: ['copy', '-q', '--src-tls-verify=false', `docker://${name}`, `oci:${layout}`],
        before: clear,
      },
    ])
    const of = (contender: string) => costs.get(contender) as Cost
    const row = rowsOf(`pull of gzip, ${describe(image)}`)
    const peer = of('skopeo')
    return [
      row('wall, whole process', of('strata').wall, 's', peer.wall * 1.3, { name: 'skopeo copy', value: peer.wall }),
      row('CPU', of('strata').cpu, 's', Number.POSITIVE_INFINITY, { name: 'skopeo copy', value: peer.cpu }),
      row('resident', of('strata').memory / 1e6, 'MB', 150),
    ]
  } finally {
    clear()
    await registry.stop()
  }
}
