/** Images in engines' own stores, next to the export that every other tool asks for. The engines are started for it. */
import { startDocker, startPodman, type TestEngine } from '../harness/engines.ts'
import type { Cost } from '../harness/measured.ts'
import { isThere } from '../harness/needs.ts'
import { analyse, type Bench, describe, dive, type Row, rowsOf, shell } from './bench.ts'
import { besideDive } from './cases-files.ts'
import { fullTree, withScreen } from './cases-screen.ts'
import { deletingImage, type ImageInput, localImage } from './inputs.ts'
import { median, race } from './measure.ts'

/** As the archives of the bench name their image. */
const NAME = 'bench:latest'

export async function docker(bench: Bench): Promise<Row[] | string> {
  const image = await localImage(bench.folder, bench.scale)
  return withEngine('dockerd', startDocker, image, async engine => {
    const env = { ...process.env, DOCKER_HOST: `unix://${engine.socket}` }
    const save = shell('docker save', 'docker save "$1" > /dev/null', [NAME], engine.env)
    return local(bench, image, { name: 'Docker store', reference: NAME, save, env, peer: true })
  })
}

export async function podman(bench: Bench): Promise<Row[] | string> {
  const image = await localImage(bench.folder, bench.scale)
  return withEngine('podman', startPodman, image, async engine => {
    const reference = `podman:localhost/${NAME}`
    const save = shell('podman save', 'podman save "$1" | cat > /dev/null', [`localhost/${NAME}`], engine.env)
    return local(bench, image, { name: 'Podman store', reference, save, env: engine.env, peer: false })
  })
}

interface Local {
  name: string
  reference: string
  /** The export. */
  save: ReturnType<typeof shell>
  env: NodeJS.ProcessEnv
  /** Whether the peer can be asked for it too. */
  peer: boolean
}

async function local(bench: Bench, image: ImageInput, { name, reference, save, env, peer }: Local): Promise<Row[]> {
  const costs = await race(bench.meter, bench.rounds, [
    analyse(bench, 'cold', image, { cold: true, reference, env }),
    analyse(bench, 'again', image, { cold: false, reference, env }),
    save,
    ...(peer ? dive(reference, env) : []),
  ])
  const of = (one: string) => costs.get(one) as Cost
  const limit = { name: save.name, value: of(save.name).wall }
  const row = rowsOf(`${name}, ${describe(image)}`)
  return [
    row('wall, whole process', of('cold').wall, 's', 0.45),
    row('wall, whole process', of('cold').wall, 's', limit.value / 20, limit),
    row('wall, from the index cache', of('again').wall, 's', 0.25),
    row('CPU', of('cold').cpu, 's', Number.POSITIVE_INFINITY),
    row('resident', of('cold').memory / 1e6, 'MB', 200),
    ...besideDive(row, of('cold'), costs.get('dive')),
  ]
}

/** An image of a local Docker on the screen, by its name. */
export async function byName(bench: Bench): Promise<Row[] | string> {
  const image = await deletingImage(bench.folder, bench.scale)
  return withEngine('dockerd', startDocker, image, async engine => {
    const env = { DOCKER_HOST: `unix://${engine.socket}` }
    const [cold, again, memory]: [number[], number[], number[]] = [[], [], []]
    for (let round = 0; round < bench.rounds; round++) {
      for (const times of [cold, again]) {
        await withScreen(
          bench,
          { path: NAME },
          times === cold,
          async screen => {
            times.push(await screen.until(fullTree))
            memory.push(screen.memory() / 1e6)
          },
          env,
        )
      }
    }
    const row = rowsOf(`by name from the Docker store, ${describe(image)}`)
    return [
      row('to the first full tree', median(cold), 'ms', 800),
      row('the same from the index cache', median(again), 'ms', Number.POSITIVE_INFINITY),
      row('resident', median(memory), 'MB', 200),
    ]
  })
}

/** Starts the engine, loads the image, and takes all of it away again. A sentence where that can not be. */
export async function withEngine(
  program: 'dockerd' | 'podman',
  start: () => Promise<TestEngine>,
  image: ImageInput,
  use: (engine: TestEngine) => Promise<Row[]>,
): Promise<Row[] | string> {
  if (process.getuid?.() !== 0) return `it starts a ${program} of its own, and that takes root.`
  const client = program === 'dockerd' ? 'docker' : program
  const missing = [program, client].filter(one => !isThere(one))
  if (missing.length > 0) return `there is no ${missing.join(' and no ')} on this machine.`
  const engine = await start()
  try {
    await engine.cli('load', '-i', image.path)
    return await use(engine)
  } finally {
    await engine.stop()
  }
}
