/** The config as of each step, judged by the builders themselves: what they make of the Dockerfile up to that line. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseConfig } from '../../src/image/config.ts'
import { dockerfileOf } from '../../src/image/dockerfile.ts'
import { configAsOf } from '../../src/image/replay.ts'
import { stepsOf } from '../../src/image/steps.ts'
import type { ImageConfig } from '../../src/image/types.ts'
import { command } from '../harness/command.ts'
import { type Builder, buildImage, importBusybox } from '../harness/engine-images.ts'
import { startDocker, startPodman, type TestEngine } from '../harness/engines.ts'

const lines = [
  'FROM busybox:test',
  'ENTRYPOINT ["sh", "-c", "x\\"y"]',
  'ENV A=1 B="two words" C=x=y',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a Dockerfile's variable
  'ENV D=$A-${B} PATH=/opt/bin:$PATH',
  'ENV E one two',
  'LABEL l.one=1 "l two"="a b"',
  'WORKDIR /srv',
  'WORKDIR app/../data',
  'CMD echo hello $A',
  'EXPOSE 80 53/udp',
  'VOLUME /logs',
  'VOLUME ["/data", "/a b"]',
  'ARG V=3',
  'RUN echo "$V" > /x && chmod 600 /x',
  'COPY file /srv/',
  'STOPSIGNAL SIGQUIT',
  'HEALTHCHECK --interval=90s --retries=10 CMD wget -q localhost || exit 1',
  'CMD ["a", "b c"]',
  'SHELL ["/bin/sh", "-e", "-c"]',
  'RUN echo done',
  'USER 7:8',
  'ONBUILD RUN echo "more"',
]

const engines: Partial<Record<'docker' | 'podman', TestEngine>> = {}

beforeAll(async () => {
  engines.docker = await startDocker()
  engines.podman = await startPodman()
  await importBusybox(engines.docker)
  await importBusybox(engines.podman)
})

afterAll(async () => {
  await engines.docker?.stop()
  await engines.podman?.stop()
})

describe.each(['classic', 'buildkit', 'podman'] as const)('built by %s', builder => {
  test('the config as of every step is what the builder had there', async () => {
    const engine = engines[builder === 'podman' ? 'podman' : 'docker']!
    const whole = await built(engine, builder, lines.length)
    const steps = stepsOf(whole.history, whole.diffIds.length)
    expect(configAsOf(whole, steps, steps.length)).toEqual({
      run: whole.run,
      // BuildKit of Docker 20.10 writes no history line for ONBUILD.
      differs: builder === 'buildkit' ? ['onBuild'] : [],
    })
    const last = new Map<number, ImageConfig>()
    for (let count = 2; count < lines.length; count++) {
      const judge = await built(engine, builder, count)
      if (judge.history.length < steps.length) last.set(judge.history.length, judge)
    }
    const wrong: unknown[] = []
    for (const [step, judge] of last) {
      const mine = comparable(configAsOf(whole, steps, step).run)
      const theirs = comparable(judge.run)
      for (const field of Object.keys(mine) as (keyof typeof mine)[]) {
        if (JSON.stringify(mine[field]) === JSON.stringify(theirs[field])) continue
        wrong.push({ step, said: steps[step - 1].createdBy, field, mine: mine[field], theirs: theirs[field] })
      }
    }
    expect(wrong).toEqual([])
    expect(last.size).toBeGreaterThan(10)
  })

  test('the reconstructed Dockerfile builds the same config again', async () => {
    const engine = engines[builder === 'podman' ? 'podman' : 'docker']!
    const whole = await built(engine, builder, lines.length)
    const dockerfile = dockerfileOf(whole, stepsOf(whole.history, whole.diffIds.length), {
      name: 'busybox:test',
      steps: 1,
    })
    const named = dockerfile.replace(/file-[0-9a-f]{12}/g, 'file')
    await buildImage(engine, {
      tag: 'again:test',
      builder,
      dockerfile: named,
      files: { file: 'x' },
      args: docker(builder),
    })
    const again = await saved(engine, 'again:test')
    expect(comparable(again.run)).toEqual(comparable(whole.run))
  })
})

async function built(engine: TestEngine, builder: Builder, count: number): Promise<ImageConfig> {
  const dockerfile = `${lines.slice(0, count).join('\n')}\n`
  await buildImage(engine, { tag: 'history:test', builder, dockerfile, files: { file: 'x' }, args: docker(builder) })
  return saved(engine, 'history:test')
}

/** Podman keeps HEALTHCHECK, SHELL and ONBUILD in Docker's format only. */
function docker(builder: Builder): string[] {
  return builder === 'podman' ? ['--format=docker'] : []
}

/** The config as the image itself has it. */
async function saved(engine: TestEngine, name: string): Promise<ImageConfig> {
  const file = join(engine.scratch.path, `saved-${++files}.tar`)
  await engine.cli('save', '-o', file, name)
  const [{ Config }] = JSON.parse(await command('tar', ['-xOf', file, 'manifest.json'])) as [{ Config: string }]
  const json = JSON.parse(await command('tar', ['-xOf', file, Config]))
  rmSync(file)
  return parseConfig(json).config
}

let files = 0

function comparable(run: ImageConfig['run']) {
  const { cmd, env, labels, exposedPorts, volumes, ...rest } = run
  return {
    ...rest,
    // Podman writes an empty list where Docker writes nothing.
    cmd: cmd?.length ? cmd : null,
    env: [...env].sort(),
    labels: Object.entries(labels).sort(),
    ports: [...exposedPorts].sort(),
    volumes: [...volumes].sort(),
  }
}
