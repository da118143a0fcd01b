/** The command line on images that a real Docker and a real Podman built: by name, and saved. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Builder, buildImage, importBusybox } from '../harness/engine-images.ts'
import { startDocker, startPodman, type TestEngine } from '../harness/engines.ts'
import { workshop } from '../harness/strata.ts'
import { buildHelper, helperPath } from '../native/helper.ts'

const dockerfile = `FROM busybox:test
ENV GREETING=hello
WORKDIR /srv/app
COPY data /srv/app/data
RUN chmod 600 /srv/app/data && echo more > /srv/app/more
RUN rm /srv/app/data
CMD ["sh"]
`

interface Row {
  index: number
  stored: number
  layer: number | null
  createdBy: string
}

/** The engine, what starts it, its builders, what names its socket, and where its store is read without an export. */
const engines: [string, () => Promise<TestEngine>, Builder[], string, string][] = [
  ['docker', startDocker, ['classic', 'buildkit'], 'DOCKER_HOST', 'docker-store'],
  ['podman', startPodman, ['podman'], 'CONTAINER_HOST', 'containers-storage'],
]

describe.each(engines)('%s', (name, start, builders, variable, store) => {
  let engine: TestEngine
  let env: NodeJS.ProcessEnv

  beforeAll(async () => {
    engine = await start()
    await buildHelper()
    env = { [variable]: `unix://${engine.socket}` }
    await importBusybox(engine)
    for (const builder of builders) {
      await buildImage(engine, { tag: `app:${builder}`, builder, dockerfile, files: { data: 'x'.repeat(10_000) } })
    }
  })
  afterAll(() => engine?.stop())

  test('images lists what the engine lists', async () => {
    const { stdout, stderr, code } = await workshop().run(['images', '--json'], { env })
    expect([stderr, code]).toEqual(['', 0])
    const names = lines(stdout).map(row => `${row.repository}:${row.tag}`.replace('localhost/', ''))
    for (const builder of builders) expect(names).toContain(`app:${builder}`)
    const row = lines(stdout).find(one => one.tag === builders[0])
    expect(row).toMatchObject({ engine: name })
    expect(row!.unique).toBeGreaterThanOrEqual(10_000)
    expect(row!.unique).toBeLessThan(100_000)
  })

  test.each(builders)('the %s image by name is what its archive is', async builder => {
    const { run, path } = workshop()
    const archive = join(path, 'app.tar')
    await engine.cli('save', '-o', archive, `app:${builder}`)
    const saved = await run(['analyze', archive, '--json'])
    const named = await run(['analyze', `app:${builder}`, '--json'], { env })
    const exported = await workshop().run(['analyze', `app:${builder}`, '--json', '--verify'], { env })
    for (const one of [saved, named, exported]) expect([one.stderr, one.code]).toEqual(['', 0])
    const left = JSON.parse(saved.stdout)
    for (const [source, text] of Object.entries({ [`${store}`]: named.stdout, [`${name}-save`]: exported.stdout })) {
      const right = JSON.parse(text)
      expect(right.image).toMatchObject({ id: left.image.id, source })
      for (const key of ['efficiency', 'entries', 'waste', 'dive', 'steps', 'advice', 'anomalies']) {
        expect([source, key, right[key]]).toEqual([source, key, left[key]])
      }
    }
    expect(left.waste.filter((row: { path: string }) => row.path === 'srv/app/data').length).toBe(2)
  })

  test.each(builders)('history of the %s image has the sizes of the engine’s own', async builder => {
    const { run } = workshop()
    const own = (await engine.cli('history', '--format', '{{.Size}}', '--human=false', `app:${builder}`)).split('\n')
    const { stdout } = await run(['history', `app:${builder}`, '--json'], { env })
    const rows = lines(stdout) as unknown as Row[]
    expect(rows.length).toBe(own.length)
    // Docker counts the targets of symbolic links too: the base is full of them.
    if (name === 'docker') expect(rows.slice(0, -1).map(row => row.stored)).toEqual(own.slice(0, -1).map(Number))
    expect(rows.map(row => row.index)).toEqual(rows.map((_, at) => rows.length - at))
  })

  test('files of any step, deleted ones too', async () => {
    const { run } = workshop()
    const reference = `app:${builders[0]}`
    const gone = await run(['cat', reference, '/srv/app/data'], { env })
    expect([gone.code, gone.stdout]).toEqual([1, ''])
    const step = Number(/as of step (\d+) still has it/.exec(gone.stderr)?.[1])
    expect((await run(['cat', `${reference}@${step}`, '/srv/app/data'], { env })).stdout).toBe('x'.repeat(10_000))
    const changes = lines((await run(['tree', `${reference}@${step + 1}`, '--changes', '--json'], { env })).stdout)
    expect(changes.filter(row => row.change === 'D').map(row => row.path)).toEqual(['srv/app/data'])
    const inspected = JSON.parse((await run(['inspect', reference], { env })).stdout)
    expect(inspected.run).toMatchObject({ workingDir: '/srv/app', cmd: ['sh'] })
    expect((await run(['dockerfile', reference], { env })).stdout).toContain('ENV GREETING=hello')
  })

  describe.each(builders)('strata build, %s', builder => {
    const flags = builder === 'podman' ? ['--isolation=chroot'] : ['--network=host']
    const how = () => ({
      env: {
        ...env,
        PATH: `/usr/bin:${process.env.PATH}`,
        DOCKER_BUILDKIT: builder === 'buildkit' ? '1' : '0',
        STRATA_NATIVE_HELPER: helperPath,
      },
    })
    const ids = async () => (await engine.cli('images', '-aq')).split('\n').sort()
    const file = `ARG BASE=busybox:test
FROM $BASE AS first
ARG WHO=me
RUN echo $WHO > /who \\
 && true

FROM first
COPY data /
ARG WHO=me
RUN test $WHO = me
CMD ["sh"]
`

    test('shows what it built, with the lines of each step', async () => {
      const { run, path } = workshop()
      writeFileSync(join(path, 'Dockerfile'), file)
      writeFileSync(join(path, 'data'), 'data')
      const built = await run(['build', ...flags, '-t', `built:${builder}`, '--json', '.'], how())
      expect([built.code, built.code === 0 ? '' : built.stderr]).toEqual([0, ''])
      const { layers, image } = JSON.parse(built.stdout)
      const inspected = (await engine.cli('image', 'inspect', '--format', '{{.Id}}', `built:${builder}`)).trim()
      expect(image.id.replace('sha256:', '')).toBe(inspected.replace('sha256:', ''))
      expect(layers.at(-1).step).toBeGreaterThan(2)
      const { stdout } = await run(['history', '--dockerfile', 'Dockerfile', `built:${builder}`], how())
      const told = stdout.trim().split('\n').slice(1, -1)
      const lines = told.map(line => `${line.split('\t')[5].split(' ')[0]} ${line.split('\t')[6]}`)
      expect(lines).toEqual(expect.arrayContaining(['CMD 11', 'RUN 10', 'COPY 8', 'RUN 4-5']))
    })

    test('--debug stands before the step that failed, and leaves no image of its own', async () => {
      const { run, path } = workshop()
      writeFileSync(join(path, 'Dockerfile'), file)
      writeFileSync(join(path, 'data'), 'data')
      const wrong = ['build', ...flags, '--build-arg', 'WHO=you', '.']
      const failed = await run(wrong, how())
      expect(failed.code).not.toBe(0)
      const before = await ids()
      const input = Buffer.from('echo "$WHO" is "$(cat /who)"; cat /data; exit 7\n')
      const debugged = await run([...wrong.slice(0, 1), '--debug', ...wrong.slice(1)], { ...how(), input })
      expect(debugged.stdout).toBe('you is you\ndata')
      expect(debugged.stderr).toContain(
        'strata: Dockerfile:10 failed. This is the image before it; the step was\n    RUN test',
      )
      expect(debugged.code).toBe(failed.code)
      expect(await ids()).toEqual(before)
    })
  })

  // Docker's own store is read above, by name.
  const forPodman = name === 'podman' ? test : () => {}
  forPodman('podman’s store is listed and read without podman', async () => {
    const { run, path } = workshop()
    const conf = join(path, 'storage.conf')
    writeFileSync(conf, `[storage]\ndriver = "overlay"\ngraphroot = "${engine.dataRoot}"\nrunroot = "${path}/run"\n`)
    const alone = { CONTAINERS_STORAGE_CONF: conf }
    const rows = lines((await run(['images', '--json'], { env: alone })).stdout)
    const row = rows.find(one => one.reference === 'podman:localhost/app:podman')
    expect(row).toMatchObject({ engine: 'podman', repository: 'localhost/app', tag: 'podman' })
    const [asked, found] = await Promise.all([
      run(['tree', 'app:podman', '--json'], { env }),
      run(['tree', 'app:podman', '--json'], { env: alone }),
    ])
    expect(found).toEqual(asked)
    expect(found.stdout).toContain('"path":"srv/app/more"')
  })

  test('doctor finds it', async () => {
    const { stdout } = await workshop().run(['doctor', '--json'], { env })
    expect(lines(stdout).find(row => row.what === name)).toMatchObject({ state: 'ok' })
  })

  test('a name that it does not have is a sentence', async () => {
    const { stderr, code } = await workshop().run(['analyze', 'no/such:image'], { env })
    expect(stderr).toMatch(/^strata: There is no image “no\/such:image” here\.\n/)
    expect(code).toBe(1)
  })
})

function lines(text: string): Record<string, unknown & string>[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line))
}
