import { describe, expect, test } from 'vitest'
import { shortCommand } from '../../../src/image/command.ts'
import { parseConfig } from '../../../src/image/config.ts'
import { dockerfileOf } from '../../../src/image/dockerfile.ts'
import { parseInstruction, parseList } from '../../../src/image/instruction.ts'
import { configAsOf } from '../../../src/image/replay.ts'
import { stepsOf } from '../../../src/image/steps.ts'

/** An image of these history lines, none of which made a layer, with this config. */
function image(lines: string[], config: Record<string, unknown> = {}, os = 'linux') {
  const history = lines.map(created_by => ({ created_by, empty_layer: true }))
  const parsed = parseConfig({ os, architecture: 'amd64', config, history, rootfs: { diff_ids: [] } }).config
  return { config: parsed, steps: stepsOf(parsed.history, 0) }
}

/** What the replay of one line gives for one field when nothing else is known. */
function replayed(line: string, field: string, os = 'linux') {
  const { config, steps } = image([line, 'ENV LAST=1'], {}, os)
  return configAsOf(config, steps, 1).run[field as 'env']
}

describe('every spelling of an instruction is understood', () => {
  const nop = '/bin/sh -c #(nop) '
  test.each([
    [`${nop} ENV A=b`, 'env', ['A=b']],
    [`${nop}ENV A=b`, 'env', ['A=b']],
    ['ENV A=b', 'env', ['A=b']],
    ['ENV A=b C=d', 'env', ['A=b', 'C=d']],
    [`${nop} ENV A=b C=two words`, 'env', ['A=b', 'C=two words']],
    ['ENV A="two words" C=d\\ e', 'env', ['A=two words', 'C=d e']],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a Dockerfile's variable
    ["ENV A='$x' B=${A}y C=${D:-z}", 'env', ['A=$x', 'B=${A}y', 'C=z']],
    ['ENV A two words', 'env', ['A=two words']],
    ['ENV EMPTY=', 'env', ['EMPTY=']],
    [`${nop} CMD ["sh"]`, 'cmd', ['sh']],
    [`${nop} CMD ["/bin/sh" "-c" "npm start"]`, 'cmd', ['/bin/sh', '-c', 'npm start']],
    ['CMD ["npm", "start"]', 'cmd', ['npm', 'start']],
    ['CMD npm start', 'cmd', ['/bin/sh', '-c', 'npm start']],
    [`${nop} CMD [/bin/bash]`, 'cmd', ['/bin/bash']],
    ['CMD []', 'cmd', []],
    ['CMD ["a\\"b\\x41\\u00e9\\n"]', 'cmd', ['a"bAé\n']],
    [`${nop} ENTRYPOINT &{["/docker-entrypoint.sh"]}`, 'entrypoint', ['/docker-entrypoint.sh']],
    ['ENTRYPOINT ["a" "b c"]', 'entrypoint', ['a', 'b c']],
    ['WORKDIR /x # buildkit', 'workingDir', '/x'],
    ['WORKDIR x/../y', 'workingDir', '/y'],
    [`${nop} USER [nova]`, 'user', 'nova'],
    ['USER app:app', 'user', 'app:app'],
    ['EXPOSE map[443/tcp:{} 80/tcp:{}]', 'exposedPorts', ['443/tcp', '80/tcp']],
    ['EXPOSE [80/tcp]', 'exposedPorts', ['80/tcp']],
    ['EXPOSE 80 53/UDP', 'exposedPorts', ['80/tcp', '53/udp']],
    ['VOLUME [/data /logs]', 'volumes', ['/data', '/logs']],
    ['VOLUME ["/data"]', 'volumes', ['/data']],
    ['STOPSIGNAL SIGQUIT', 'stopSignal', 'SIGQUIT'],
    [`${nop} STOPSIGNAL [SIGTERM]`, 'stopSignal', 'SIGTERM'],
    ['SHELL [/bin/bash -o pipefail -c]', 'shell', ['/bin/bash', '-o', 'pipefail', '-c']],
    ['ONBUILD RUN make', 'onBuild', ['RUN make']],
    ['/bin/bash -o pipefail -c #(nop)  ENV A=b', 'env', ['A=b']],
  ] as const)('%s', (line, field, value) => expect(replayed(line, field)).toEqual(value))

  test.each([
    ['cmd /S /C #(nop)  ENV A=C:\\b', 'env', ['A=C:\\b']],
    ['cmd /S /C #(nop) WORKDIR C:\\app', 'workingDir', 'C:\\app'],
    ['WORKDIR /app', 'workingDir', 'C:\\app'],
    ['powershell -Command $ErrorActionPreference = \'Stop\'; #(nop)  CMD ["cmd"]', 'cmd', ['cmd']],
    ['CMD dir', 'cmd', ['cmd', '/S', '/C', 'dir']],
  ] as const)('on Windows: %s', (line, field, value) => expect(replayed(line, field, 'windows')).toEqual(value))

  test.each([
    [`${nop} HEALTHCHECK &{["CMD-SHELL" "curl -f x || exit 1"] "30s" "3s" "0s" '\\x03'}`, [30e9, 3e9, 0, 0, 3]],
    ['HEALTHCHECK &{["CMD" "a"] "1m30s" "0s" "5s" "2s" \'\\n\'}', [90e9, 0, 5e9, 2e9, 10]],
    ['HEALTHCHECK --interval=5s --retries=2 CMD curl x', [5e9, 0, 0, 0, 2]],
    ['HEALTHCHECK NONE', [0, 0, 0, 0, 0]],
  ])('%s', (line, numbers) => {
    const { config, steps } = image([line, 'ENV LAST=1'])
    const check = configAsOf(config, steps, 1).run.healthcheck!
    expect([check.interval, check.timeout, check.startPeriod, check.startInterval, check.retries]).toEqual(numbers)
  })

  test.each([
    ['RUN /bin/sh -c make # buildkit', [], '/bin/sh -c', 'make'],
    ['RUN |2 A=1 B=x y /bin/sh -c make all # buildkit', ['A=1', 'B=x y'], '/bin/sh -c', 'make all'],
    ['|1 A=b /bin/sh -c make', ['A=b'], '/bin/sh -c', 'make'],
    ['/bin/bash -o pipefail -c a | b', [], '/bin/bash -o pipefail -c', 'a | b'],
    ['/bin/bash -euxo pipefail -c a', [], '/bin/bash -euxo pipefail -c', 'a'],
    ['cmd /S /C del x', [], 'cmd /S /C', 'del x'],
    [
      "powershell -Command $ErrorActionPreference = 'Stop'; Get-X",
      [],
      "powershell -Command $ErrorActionPreference = 'Stop';",
      'Get-X',
    ],
    ['RUN make', [], null, 'make'],
  ])('%s', (line, args, shell, text) => {
    expect(parseInstruction(line)).toMatchObject({ keyword: 'RUN', args, shell, text })
  })

  test.each([
    'bash',
    'bazel build ...',
    'Buildpacks Launcher Config',
    '',
    'RUNNING x',
    '#(nop)',
    'ENVY A=b',
  ])('%j is no instruction', line => expect(parseInstruction(line).keyword).toBeNull())

  test('what is no list', () =>
    expect([parseList('a'), parseList('["a" b]'), parseList('["a]')]).toEqual([null, null, null]))
})

describe('the config as of a step', () => {
  test('grows with the steps, and the last is the image’s own', () => {
    const lines = [
      'ADD rootfs /',
      'CMD ["bash"]',
      'ENV A=1',
      'WORKDIR /a',
      'WORKDIR b',
      'ENV A=2 B=3',
      'LABEL l=x',
      'CMD ["app"]',
    ]
    const { config, steps } = image(lines, {
      Env: ['PATH=/bin', 'A=2', 'B=3'],
      WorkingDir: '/a/b',
      Labels: { l: 'x', base: 'y' },
      Cmd: ['app'],
    })
    const at = (step: number) => configAsOf(config, steps, step).run
    expect(at(0)).toMatchObject({ env: ['PATH=/bin'], cmd: null, workingDir: '' })
    expect(at(2)).toMatchObject({ env: ['PATH=/bin'], cmd: ['bash'] })
    expect(at(3).env).toEqual(['PATH=/bin', 'A=1'])
    expect([at(4).workingDir, at(5).workingDir]).toEqual(['/a', '/a/b'])
    expect(at(6).env).toEqual(['PATH=/bin', 'A=2', 'B=3'])
    expect({ ...at(6).labels }).toEqual({ base: 'y' })
    expect(at(8)).toEqual(config.run)
    expect(configAsOf(config, steps, 8).differs).toEqual([])
  })

  test('the final values decide between two readings', () => {
    const lines = [
      '/bin/sh -c #(nop)  ENV OPTS=-a x=1 -b',
      '/bin/sh -c #(nop) ENV Q="quoted by buildah"',
      'LABEL d=one two=2 e=f',
      'RUN x',
    ]
    const { config, steps } = image(lines, {
      Env: ['OPTS=-a x=1 -b', 'Q=quoted by buildah'],
      Labels: { d: 'one two=2', e: 'f' },
    })
    expect(configAsOf(config, steps, 3)).toMatchObject({ run: { env: config.run.env }, differs: [] })
    expect({ ...configAsOf(config, steps, 3).run.labels }).toEqual({ d: 'one two=2', e: 'f' })
  })

  test('PATH that a step extends starts as the builders’ own', () => {
    const path = '/opt/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
    const { config, steps } = image(['ADD x /', 'ENV PATH=/opt/bin:$PATH', 'RUN x'], { Env: [`PATH=${path}`] })
    expect(configAsOf(config, steps, 1).run.env).toEqual([
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    ])
    expect(configAsOf(config, steps, 2).run.env).toEqual([`PATH=${path}`])
  })

  test('ENTRYPOINT drops the CMD from below', () => {
    const { config, steps } = image(['CMD ["bash"]', 'ENTRYPOINT ["app"]', 'RUN x'], { Entrypoint: ['app'] })
    expect(configAsOf(config, steps, 2)).toMatchObject({ run: { entrypoint: ['app'], cmd: null }, differs: [] })
  })

  test('ENTRYPOINT after the same Dockerfile’s CMD keeps it', () => {
    const { config, steps } = image(['CMD ["run"]', 'ENTRYPOINT ["app"]', 'RUN x'], {
      Entrypoint: ['app'],
      Cmd: ['run'],
    })
    expect(configAsOf(config, steps, 2)).toMatchObject({ run: { entrypoint: ['app'], cmd: ['run'] }, differs: [] })
  })

  test('what the history tells differently is named, the image’s own wins for the last step', () => {
    const { config, steps } = image(['USER a', 'WORKDIR /x'], { User: 'b', WorkingDir: '/x' })
    expect(configAsOf(config, steps, 2)).toMatchObject({ run: { user: 'b' }, differs: ['user'] })
    expect(configAsOf(config, steps, 1).run.user).toBe('a')
  })

  test('without a history all of the config was there from the beginning', () => {
    const { config, steps } = image([], { User: 'b', Env: ['A=b'], Cmd: ['x'] })
    expect(configAsOf(config, steps, 0)).toEqual({ run: config.run, differs: [] })
  })

  test('hostile texts end in a bounded time', () => {
    const texts = [' ', '"', "'", '\\', '$', '${', 'A=', '" ', '["', 'A= ', '["\\'].map(unit => unit.repeat(30_000))
    const lines = texts.flatMap(text => [
      `ENV A=${text}`,
      `CMD [${text}]`,
      `RUN |9 ${text}`,
      `HEALTHCHECK &{[${text}`,
      text,
    ])
    const { config, steps } = image(lines, { Env: ['A=b'] })
    const start = performance.now()
    configAsOf(config, steps, 3)
    dockerfileOf(config, steps)
    for (const step of steps) shortCommand(step.createdBy)
    expect(performance.now() - start).toBeLessThan(8000)
  })

  test('a history of 100 000 lines is replayed in a bounded time', () => {
    const { config, steps } = image(Array.from({ length: 100_000 }, (_, at) => `ENV A${at % 10_000}=b`))
    const start = performance.now()
    configAsOf(config, steps, 99_999)
    expect(performance.now() - start).toBeLessThan(8000)
  })
})

describe('a hostile history ends', () => {
  test('a variable that grows with each step is not expanded for ever', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a Dockerfile's variable
    const { config, steps } = image(['ENV A=abc', ...Array(3000).fill('ENV A=${A}${A}${A}')])
    const [value] = configAsOf(config, steps, 2999).run.env
    expect(value.length).toBeLessThan(16 << 20)
    expect(dockerfileOf(config, steps).length).toBeLessThan(64 << 20)
  })

  test('many variables cost linear time', { timeout: 20_000 }, () => {
    const { config, steps } = image(Array.from({ length: 100_000 }, (_, at) => `ENV A${at}=${at}`))
    expect(dockerfileOf(config, steps)).toContain('ENV A99999=99999')
  })

  test('a command of very many lines', () => {
    const { config, steps } = image([`RUN ${'x\n'.repeat(300_000)}`])
    expect(dockerfileOf(config, steps).split('\n').length).toBeGreaterThan(300_000)
  })
})

describe('a command on one line', () => {
  test.each([
    ['/bin/sh -c apt-get update \t&& apt-get install -y x', 'RUN apt-get update && apt-get install -y x'],
    ['/bin/sh -c #(nop)  ENV NODE_VERSION=11.13', 'ENV NODE_VERSION=11.13'],
    ['COPY . . # buildkit', 'COPY . .'],
    [`/bin/sh -c #(nop) ADD file:${'0123456789abcdef'.repeat(4)} in / `, 'ADD file:0123456789ab /'],
    ['/bin/sh -c #(nop)  CMD ["npm" "start"]', 'CMD ["npm" "start"]'],
    ['EXPOSE map[80/tcp:{}]', 'EXPOSE 80/tcp'],
    ['RUN |1 A=b /bin/sh -c make # buildkit', 'RUN make'],
    ['bazel build ...', 'bazel build ...'],
    ['/bin/sh -c echo \x1b[31m\u202e', 'RUN echo \\x1b[31m\\u{202e}'],
    [null, 'no history'],
  ])('%j is %j', (line, text) => expect(shortCommand(line)).toBe(text))

  test('an imported layer shows its comment', () => expect(shortCommand('', 'Imported from -')).toBe('Imported from -'))
})

describe('the reconstructed Dockerfile', () => {
  test('reads like one that a person wrote', () => {
    const { config, steps } = image(
      [
        '/bin/sh -c #(nop) ADD file:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef in / ',
        '/bin/sh -c #(nop)  CMD ["bash"]',
        'ENV A=two words B=1',
        'RUN |1 V=2 /bin/sh -c apt-get update \t&& echo "a  && b" && (c && d) # buildkit',
        'SHELL [/bin/bash -o pipefail -c]',
        'RUN /bin/bash -o pipefail -c a | b # buildkit',
        'EXPOSE map[80/tcp:{}]',
        'VOLUME [/data]',
        'HEALTHCHECK &{["CMD-SHELL" "curl x"] "1m30s" "0s" "0s" \'\\x02\'}',
        'bash',
        'CMD ["npm" "start"]',
      ],
      {
        Env: ['A=two words', 'B=1'],
        Cmd: ['npm', 'start'],
        User: 'app',
        Shell: ['/bin/bash', '-o', 'pipefail', '-c'],
        ExposedPorts: { '80/tcp': {} },
        Volumes: { '/data': {} },
        Healthcheck: { Test: ['CMD-SHELL', 'curl x'], Interval: 90e9, Retries: 2 },
      },
    )
    expect(dockerfileOf(config, steps).split('\n')).toEqual([
      '# Reconstructed from the history of the image.',
      '# Its base is not recorded: the steps of the base are part of what follows.',
      'FROM scratch',
      '# Set in the config, by no step:',
      'USER app',
      '',
      '# Its source is known by its digest only.',
      'ADD file-0123456789ab /',
      '',
      'CMD ["bash"]',
      '',
      'ENV A="two words" \\',
      '    B=1',
      '',
      'ARG V=2',
      'RUN apt-get update \\',
      '    && echo "a  && b" \\',
      '    && (c && d)',
      '',
      'SHELL ["/bin/bash", "-o", "pipefail", "-c"]',
      'RUN a | b',
      'EXPOSE 80/tcp',
      'VOLUME ["/data"]',
      'HEALTHCHECK --interval=1m30s --retries=2 CMD curl x',
      '# bash',
      'CMD ["npm", "start"]',
      '',
    ])
  })

  test('names a known base and leaves its steps out', () => {
    const { config, steps } = image(['ADD x /', 'CMD ["bash"]', 'COPY . .'], { Cmd: ['bash'] })
    expect(dockerfileOf(config, steps, { name: 'debian:13', steps: 2 })).toBe(
      "# Reconstructed from the history of the image.\nFROM debian:13\n# Steps 1 to 2 are the base's own.\n\nCOPY . .\n",
    )
  })

  test('a shell that no step has set is written out, several lines are a here-document', () => {
    const { config, steps } = image(['/bin/bash -c a', 'RUN /bin/sh -c one\ntwo\nEOF'])
    expect(dockerfileOf(config, steps)).toContain('RUN ["/bin/bash", "-c", "a"]\n\nRUN <<EOF_\none\ntwo\nEOF\nEOF_\n')
  })

  test('nothing in it drives a terminal or starts a line of its own', () => {
    const { config, steps } = image(['ENV A=x\nRUN evil', 'LABEL a=\x1b[2J', 'CMD ["\u202e"]', '\x07'], {
      Labels: { b: '\x9b' },
    })
    const text = dockerfileOf(config, steps)
    expect(text).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u)
    expect(text).not.toMatch(/^RUN evil/m)
  })
})
