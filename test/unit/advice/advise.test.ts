import { describe, expect, test } from 'vitest'
import { type Advice, advise } from '../../../src/advice/advise.ts'
import { looksSecret } from '../../../src/advice/secrets.ts'
import { parseConfig } from '../../../src/image/config.ts'
import { stepsOf } from '../../../src/image/steps.ts'
import { stackOf } from '../../harness/stacks.ts'
import { tar } from '../../harness/tar.ts'

/** An image of steps, bottom first: `[what made it, the layer it made]`; without a layer the step is empty. */
function image(steps: [createdBy: string, layer?: string][], config: Record<string, unknown> = {}) {
  const tars = steps.flatMap(([, layer]) => (layer === undefined ? [] : [tar(layer)]))
  const history = steps.map(([created_by, layer]) => ({ created_by, empty_layer: layer === undefined }))
  const parsed = parseConfig({ config, history, rootfs: { diff_ids: [] } }).config
  return { steps: stepsOf(parsed.history, tars.length), config: parsed, stack: stackOf(...tars) }
}

/** The advice of one rule as text. */
function told(steps: Parameters<typeof image>[0], rule: string, config: Record<string, unknown> = {}): string {
  return advise({ ...image(steps, config), least: 0 })
    .filter(one => one.rule === rule)
    .map(text)
    .join('\n')
}

function text(one: Advice): string {
  const paths = one.paths.map(path => Buffer.from(path).toString()).join(' ')
  return `${one.bytes} in layers ${one.layers}, steps ${one.steps}, ${one.files} files (${paths})\n${one.title}\n${one.fix}`
}

const base: [string, string] = ['ADD rootfs.tar / # buildkit', 'file base 10']

describe('chown and chmod that store files again', () => {
  test('chown -R of what COPY brought: COPY --chown', () => {
    const copied = 'dir app 0755\nfile app/a 3000\nfile app/b 2000 fill=b'
    const owned = 'dir app 0755 1000:1000\nfile app/a 3000 0644 1000:1000\nfile app/b 2000 0644 1000:1000 fill=b'
    expect(
      told(
        [base, ['COPY . . # buildkit', copied], ['RUN /bin/sh -c chown -R app:app /app # buildkit', owned]],
        'chown',
      ),
    ).toBe(
      [
        '5000 in layers 2, steps 3, 2 files (app/a app/b)',
        'Step 3 (RUN chown -R app:app /app) stores 5 kB again to change their owner: 2 files of step 2.',
        'In step 2: COPY --chown=app:app . .',
      ].join('\n'),
    )
  })

  test('an owner that the command does not tell is taken from the files', () => {
    const steps: Parameters<typeof told>[0] = [
      ['COPY . /x', 'file x/a 3000'],
      ['RUN ./setup', 'file x/a 3000 0644 7:8'],
    ]
    expect(told(steps, 'chown')).toContain('In step 1: COPY --chown=7:8 . /x')
  })

  test('chmod of what RUN made: in that very step', () => {
    const steps: Parameters<typeof told>[0] = [
      base,
      ['RUN make', 'file bin/a 3000'],
      ['RUN chmod -R 0755 /bin && ls', 'file bin/a 3000 0755'],
    ]
    expect(told(steps, 'chmod')).toBe(
      [
        '3000 in layers 2, steps 3, 1 files (bin/a)',
        'Step 3 (RUN chmod -R 0755 /bin && ls) stores 3 kB again to change their mode: 1 file of step 2.',
        'Append it to step 2, which stores them first: && chmod -R 0755 /bin',
      ].join('\n'),
    )
  })

  test('chmod of what COPY brought: COPY --chmod, whatever the classic builder left of its source', () => {
    const copy = `/bin/sh -c #(nop) COPY dir:${'ab'.repeat(32)} in /bin/ `
    const steps: Parameters<typeof told>[0] = [
      [copy, 'file bin/a 3000'],
      ['/bin/sh -c chmod 755 /bin/a', 'file bin/a 3000 0755'],
    ]
    expect(told(steps, 'chmod')).toContain('In step 1: COPY --chmod=755 … /bin/')
  })

  test('a second COPY of the same files', () => {
    const steps: Parameters<typeof told>[0] = [
      ['COPY a /', 'file a 3000'],
      ['COPY . /', 'file a 3000 mtime=9'],
    ]
    expect(told(steps, 'stored-again')).toContain('3000 in layers 1')
    expect(told(steps, 'overwritten-later')).toBe('')
  })

  test('other content is no chown', () => {
    const steps: Parameters<typeof told>[0] = [
      ['COPY a /', 'file a 3000'],
      ['RUN x', 'file a 3000 0644 1:1 fill=b'],
    ]
    expect(told(steps, 'chown')).toBe('')
    expect(told(steps, 'overwritten-later')).toContain('3000 in layers 0,1')
  })

  test('a body under two names counts once', () => {
    const steps: Parameters<typeof told>[0] = [
      ['COPY a /', 'file a 3000\nhard b -> a'],
      ['RUN chown 1:1 a', 'file a 3000 0644 1:1\nhard b -> a'],
    ]
    expect(told(steps, 'chown')).toContain('3000 in layers 1')
  })
})

describe('files deleted or overwritten in a later layer', () => {
  test('two RUN steps are joined', () => {
    const steps: Parameters<typeof told>[0] = [
      base,
      ['RUN curl -O src.tgz', 'file tmp/src.tgz 5000\nfile tmp/b 100'],
      ['RUN rm -r /tmp/*', 'gone tmp/src.tgz\ngone tmp/b'],
    ]
    expect(told(steps, 'deleted-later')).toBe(
      [
        '5100 in layers 1,2, steps 2,3, 2 files (tmp/src.tgz tmp/b)',
        '5.1 kB in 2 files of step 2 are deleted by step 3 (RUN rm -r /tmp/*) and still ship.',
        'Join step 2 and step 3 into one RUN (… && …), so that they are gone before the layer is stored.',
      ].join('\n'),
    )
  })

  test('what COPY brought is not copied at all', () => {
    const steps: Parameters<typeof told>[0] = [
      ['COPY src.tgz /', 'file src.tgz 5000'],
      ['RUN rm /src.tgz', 'gone src.tgz'],
    ]
    expect(told(steps, 'deleted-later')).toContain('Do not copy them: the RUN that needs them can read them')
  })

  test('what the base brought needs another base', () => {
    const steps: Parameters<typeof told>[0] = [
      ['ADD rootfs.tar /', 'file a 5000\nfile lib 2000'],
      ['CMD ["bash"]'],
      ['RUN apt-get upgrade', 'file lib 3000\ngone a'],
    ]
    expect(told(steps, 'deleted-later')).toContain('only a smaller base saves them')
    expect(told(steps, 'overwritten-later')).toContain('a newer base that has them already saves them')
  })

  test('a path that one layer stores twice', () => {
    expect(told([['tool', 'file a 5000\nfile a 3000']], 'stored-twice')).toContain('5000 in layers 0')
  })

  test('an opaque directory and a replaced type delete too', () => {
    const steps: Parameters<typeof told>[0] = [
      base,
      ['RUN a', 'file d/x 4000\nfile e/y 400'],
      ['RUN b', 'opaque d\nfile e 1'],
    ]
    expect(told(steps, 'deleted-later')).toContain('4400 in layers 1,2')
  })
})

describe('package lists and caches', () => {
  test('apt: the exact words for the step that fills it', () => {
    const layer = 'file var/lib/apt/lists/Packages 9000\nfile var/cache/apt/archives/x.deb 4000\nfile usr/x 100'
    const steps: Parameters<typeof told>[0] = [
      base,
      ['RUN /bin/sh -c apt-get update && apt-get install -y x # buildkit', layer],
    ]
    expect(told(steps, 'apt-lists')).toBe(
      [
        '9000 in layers 1, steps 2, 1 files (var/lib/apt/lists/Packages)',
        'Package lists of apt are left in the image: 9 kB from step 2.',
        'Append to step 2: && rm -rf /var/lib/apt/lists/*   or keep it out of the layer: RUN --mount=type=cache,target=/var/lib/apt,sharing=locked --mount=type=cache,target=/var/cache/apt,sharing=locked …',
      ].join('\n'),
    )
    expect(told(steps, 'apt-archives')).toContain('4000 in layers 1')
  })

  test.each([
    ['apk-cache', 'var/cache/apk/APKINDEX.gz'],
    ['dnf-cache', 'var/cache/dnf/x.solv'],
    ['dnf-cache', 'var/cache/yum/x86_64/x'],
    ['zypper-cache', 'var/cache/zypp/x'],
    ['pacman-cache', 'var/cache/pacman/pkg/x.zst'],
    ['pip-cache', 'root/.cache/pip/http/x'],
    ['pip-cache', 'home/app/.cache/pip/http/x'],
    ['uv-cache', 'root/.cache/uv/x'],
    ['conda-cache', 'opt/conda/pkgs/x.conda'],
    ['npm-cache', 'root/.npm/_cacache/x'],
    ['yarn-cache', 'usr/local/share/.cache/yarn/v6/x'],
    ['pnpm-store', 'root/.local/share/pnpm/store/v3/x'],
    ['go-cache', 'root/.cache/go-build/x'],
    ['go-cache', 'go/pkg/mod/cache/x'],
    ['cargo-cache', 'usr/local/cargo/registry/x'],
    ['maven-cache', 'root/.m2/repository/x.jar'],
    ['maven-cache', 'home/gradle/.gradle/caches/x'],
    ['gem-cache', 'usr/lib/ruby/gems/3.3.0/cache/x.gem'],
    ['composer-cache', 'root/.composer/cache/x'],
    ['nuget-cache', 'root/.nuget/packages/x'],
    ['git-directory', 'app/.git/objects/x'],
    ['python-bytecode', 'app/__pycache__/x.cpython-313.pyc'],
    ['node-cache', 'app/node_modules/.cache/babel/x'],
  ])('%s: %s', (rule, path) =>
    expect(told([base, ['RUN x', `file ${path} 5000`]], rule)).toContain('5000 in layers 1, steps 2, 1 files'))

  test.each([
    'var/cache/apk2/x',
    'srv/var/lib/apt/lists/x',
    'cache/pip/x',
    'app/git/x',
    'app/__pycache__/x.txt',
    'usr/gems/cache/x',
  ])('%s is no cache', path =>
    expect(advise({ ...image([base, ['RUN x', `file ${path} 5000`]]), least: 0 })).toEqual([]))

  test('what is deleted later is not left behind', () => {
    const steps: Parameters<typeof told>[0] = [
      base,
      ['RUN a', 'file var/cache/apk/x 5000'],
      ['RUN b', 'gone var/cache/apk/x'],
    ]
    expect(told(steps, 'apk-cache')).toBe('')
  })

  test('a store whose files are linked from elsewhere gives nothing back', () => {
    const store =
      'file root/.local/share/pnpm/store/a 5000\nfile root/.local/share/pnpm/store/b 700\nhard app/a -> root/.local/share/pnpm/store/a'
    expect(told([base, ['RUN pnpm install', store]], 'pnpm-store')).toContain('700 in layers 1')
  })

  test('two names in one cache count once', () => {
    expect(
      told([base, ['RUN x', 'file var/cache/apk/a 5000\nhard var/cache/apk/b -> var/cache/apk/a']], 'apk-cache'),
    ).toContain('5000 in')
  })
})

describe('build tools', () => {
  test('compilers, their parts and headers', () => {
    const layer = `file usr/bin/gcc-14 3000
      link usr/bin/gcc -> gcc-14
      file usr/bin/x86_64-linux-gnu-ld 500
      file usr/bin/make 200
      file usr/lib/gcc/x86_64-linux-gnu/14/cc1 9000
      file usr/include/stdio.h 100
      file usr/bin/bash 7777`
    expect(told([base, ['RUN apt-get install -y gcc make', layer]], 'build-tools')).toBe(
      [
        '12800 in layers 1, steps 2, 5 files (usr/lib/gcc/x86_64-linux-gnu/14/cc1 usr/bin/gcc-14 usr/bin/x86_64-linux-gnu-ld usr/bin/make usr/include/stdio.h)',
        'Build tools are left in the image: gcc, make, 12.8 kB, most of it from step 2.',
        'Unless it builds at run time, build in a stage of its own (FROM … AS build) and COPY --from=build only the result; or install, build and remove them in one RUN.',
      ].join('\n'),
    )
  })

  test.each([
    ['usr/local/go/bin/go', 'go'],
    ['usr/local/cargo/bin/cargo', 'cargo'],
    ['usr/bin/git', 'git'],
    ['usr/bin/clang-19', 'clang'],
  ])('%s is %s', (path, tool) =>
    expect(told([base, ['RUN x', `file ${path} 5000`]], 'build-tools')).toContain(`image: ${tool}, 5 kB`))

  test('headers alone are none', () => {
    expect(
      told(
        [base, ['RUN x', 'file usr/include/a.h 500\nfile usr/bin/makepasswd 5\nfile usr/bin/gitlab 5']],
        'build-tools',
      ),
    ).toBe('')
  })
})

describe('the base image’s share', () => {
  const full: Parameters<typeof told>[0] = [
    ['ADD rootfs.tar /', 'file etc/debian_version 5\nfile usr/share/doc/x 4000\nfile lib 20000'],
    ['CMD ["bash"]'],
    ['RUN set -eux; apt-get update; apt-get install -y gcc libc6-dev', 'file usr/lib/x.a 50000'],
    ['RUN groupadd node', 'file etc/group 10'],
    ['ENV NODE_VERSION=24.1.0'],
    ['RUN curl nodejs.org', 'file usr/local/bin/node 30000'],
    ['CMD ["node"]'],
    ['COPY . .', 'file app/a 1000'],
  ]
  test('a full variant of a language image: what its slim one leaves out', () => {
    expect(told(full, 'base-image', { Env: ['NODE_VERSION=24.1.0'] })).toBe(
      [
        '54000 in layers 0,1,2,3, steps 1,3,4,6, 1 files (usr/share/doc/x)',
        'The base image is 104 kB of 105 kB (99 %).',
        'FROM node:24.1.0-slim leaves out compilers, headers and documentation; an alpine or distroless base is smaller still.',
      ].join('\n'),
    )
  })

  test('nothing to say where the image’s own layers weigh most, or the base is alpine', () => {
    expect(told([...full, ['COPY big /', 'file big 900000']], 'base-image', { Env: ['NODE_VERSION=24.1.0'] })).toBe('')
    const alpine: Parameters<typeof told>[0] = [
      ['ADD rootfs.tar /', 'file etc/alpine-release 5\nfile lib 20000'],
      ['COPY a /', 'file a 10'],
    ]
    expect(told(alpine, 'base-image')).toBe('')
  })
})

describe('secrets that were deleted but still ship', () => {
  test('named first, with what to do', () => {
    const steps: Parameters<typeof told>[0] = [
      base,
      ['COPY id_rsa /root/.ssh/ # buildkit', 'file root/.ssh/id_rsa 400\nfile big 9000'],
      ['RUN git clone x && rm /root/.ssh/id_rsa big', 'gone root/.ssh/id_rsa\ngone big'],
    ]
    expect(told(steps, 'deleted-secret')).toBe(
      [
        '400 in layers 1,2, steps 2,3, 1 files (root/.ssh/id_rsa)',
        '/root/.ssh/id_rsa is gone since step 3 but still ships in the layer of step 2: whoever has the image can read it.',
        'Replace the secret, it is known. Then instead of COPY, RUN --mount=type=secret,id=id_rsa … gives it to one step and stores it nowhere.',
      ].join('\n'),
    )
    expect(advise(image(steps))[0].rule).toBe('deleted-secret')
  })

  test('a secret that is overwritten still ships; one that only changed its owner is not hidden', () => {
    const over = (line: string): Parameters<typeof told>[0] => [
      ['COPY .env /', 'file .env 400'],
      ['RUN x', line],
    ]
    expect(told(over('file .env 10'), 'deleted-secret')).toContain('/.env')
    expect(told(over('file .env 400 0600 1:1'), 'deleted-secret')).toBe('')
  })

  test.each([
    'root/.ssh/id_ed25519',
    'app/.env',
    'app/.env.production',
    '.npmrc',
    'root/.aws/credentials',
    'root/.docker/config.json',
    'root/.kube/config',
    'kubeconfig',
    'tmp/deploy_key',
    'etc/ssl/private/server.key',
    'cert/private.pem',
    'x.p12',
    'root/.git-credentials',
    'gcp-credentials.json',
    'terraform.tfstate',
  ])('%s is one', path => expect(looksSecret(path)).toBe(true))

  test.each([
    'etc/ssl/certs/ca.pem',
    'app/node_modules/x/test/key.pem',
    'usr/share/doc/x/server.key',
    'app/.env.example',
    'root/.ssh/id_rsa.pub',
    'usr/lib/python3/site-packages/certifi/cacert.pem',
    'app/config.json',
    'app/keyboard',
    'app/environment',
    'app/monkey',
  ])('%s is none', path => expect(looksSecret(path)).toBe(false))
})

describe('all of it', () => {
  test('what saves little is left out, what saves most comes first', () => {
    const steps: Parameters<typeof told>[0] = [
      base,
      ['RUN a', 'file var/cache/apk/x 5000\nfile root/.cache/pip/x 90000\nfile root/.npm/_cacache/x 999'],
    ]
    expect(advise(image(steps)).map(one => one.rule)).toEqual(['pip-cache', 'apk-cache'])
  })

  test('an image without history, without layers, without anything odd', () => {
    expect(advise(image([]))).toEqual([])
    const { stack, config } = image([
      ['x', 'file a 5000'],
      ['y', 'gone a'],
    ])
    const [one] = advise({ stack, config, steps: [] })
    expect(one.title).toBe('5 kB in 1 file of layer 0 is deleted by layer 1 and still ships.')
    expect(one.steps).toEqual([])
  })

  test('names and commands of the image can not drive the terminal', () => {
    const steps: Parameters<typeof told>[0] = [
      ['COPY \x1b[31m. /', 'file %1b[2J/.env 4000\nfile x 4000'],
      ['RUN chown \u202ea:b x; rm .env \x07', 'gone %1b[2J/.env\nfile x 4000 0644 1:1'],
    ]
    const all = advise(image(steps)).map(one => one.title + one.fix)
    expect(all).toHaveLength(3)
    expect(all.join('')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  })
})
