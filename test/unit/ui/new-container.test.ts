/** The form of a new container: what is wrong with what was typed, what the image and the engine say, the wish that comes of it. */
import { describe, expect, it } from 'vitest'
import type { ContainerEngine } from '../../../src/engine/containers.ts'
import { emptyRun } from '../../../src/image/config.ts'
import type { RunConfig } from '../../../src/image/types.ts'
import { type Around, fieldsOf } from '../../../src/ui/containers/new-fields.ts'
import { specOf, wantsShell } from '../../../src/ui/containers/new-spec.ts'
import type { FormValues } from '../../../src/ui/widgets/form-state.ts'
import { container, fakeContainers } from '../../harness/fake-containers.ts'

const engineOf = (given: Parameters<typeof fakeContainers>[0][0]): ContainerEngine =>
  fakeContainers([given]).service.watch().snapshot()[0]!.engine!

const docker = engineOf({ id: 'docker', containers: [container('web')] })
const poor = engineOf({
  id: 'poor',
  capabilities: { ports: false, restartPolicies: false, networks: ['none', 'host'] },
})

function around(run: Partial<RunConfig> | null | undefined, engine = docker): Around {
  return {
    engines: [engine],
    first: engine.id,
    run: () => run && { ...emptyRun(), ...run },
    taken: (_, name) => name === 'web',
    images: async () => ['node:24', 'nginx:1'],
    completePath: async text => [`${text}x`],
    image: 'node:24',
  }
}

const field = (key: string, values: FormValues = {}, where = around({ cmd: ['sh'] })) =>
  fieldsOf(where, values).find(one => one.key === key)!
const problem = (key: string, text: string, where?: Around) => field(key, {}, where).check?.(text) ?? null

describe('what is typed for a new container', () => {
  it.each([
    ['name', 'a b', 'It is two or more letters, digits, dots, dashes and underscores, a letter or a digit first.'],
    ['name', 'web', 'There is a container web already.'],
    ['name', 'api', null],
    ['command', 'sh -c "a', 'A quote (") is not closed.'],
    ['env', 'A', 'A variable is written NAME=value.'],
    ['env', '=1', 'A variable is written NAME=value.'],
    ['env', 'A=', null],
    ['ports', '8080:80', null],
    ['ports', '127.0.0.1:53:53/udp', null],
    ['ports', '80:x', '“80:x” is no port. A port is published as 8080:80, 127.0.0.1:8080:80 or 5353:53/udp.'],
    ['volumes', '/a:/b:ro', null],
    ['volumes', '~/a:/b', null],
    ['volumes', 'a b:/c', '“a b:/c” is no volume. Its first part is an absolute path or the name of a volume.'],
    ['user', '1000:1000', null],
    ['user', 'a b', 'It is USER or USER:GROUP.'],
    ['workdir', 'x', 'It is a path that begins with /.'],
    ['image', '', 'It needs an image.'],
  ])('%s %j: %s', (key, text, sentence) => expect(problem(key, text)).toBe(sentence))

  it('needs a command where the image names none', () => {
    expect(problem('command', '', around({}))).toBe('The image names no command: say one.')
    expect(problem('command', '', around({ entrypoint: ['x'] }))).toBe(null)
    expect(problem('command', '', around(undefined))).toBe(null)
  })

  it('says that an engine does not have the image', () => {
    expect(problem('image', 'nope:1', around(null))).toBe('docker has no image nope:1.')
  })
})

describe('what the image says', () => {
  const run = {
    cmd: ['nginx', '-g', 'daemon off;'],
    exposedPorts: ['80/tcp', '53/udp'],
    user: 'app',
    env: ['PATH=/bin', 'A=1'],
  }
  it('stands where nothing was typed', () => {
    const where = around(run)
    expect(field('command', {}, where).placeholder).toBe("nginx -g 'daemon off;'")
    expect(field('ports', {}, where).placeholder).toBe('80:80')
    expect(field('user', {}, where).placeholder).toBe('app')
    expect(field('env', {}, where).help).toBe('The image sets PATH, A. NAME=value; enter for one more.')
  })
})

describe('what an engine does not have', () => {
  it('is said, and not asked for', () => {
    const where = around({ cmd: ['sh'] }, poor)
    expect(field('ports', {}, where).why).toBe('poor publishes no ports')
    expect(field('restart', {}, where).why).toBe('poor starts nothing again by itself')
    expect(field('network', {}, where).placeholder).toBe('none')
  })

  it('nor is a container removed that is started again', () => {
    expect(field('rm', { restart: 'always' }).why).toBe('it is started again instead')
    expect(field('rm').why).toBe(null)
  })
})

describe('the wish', () => {
  it('has what was filled in and nothing else', () => {
    const values = {
      name: ' api ',
      command: `sh -c 'a b'`,
      env: ['A= x '],
      ports: ['80:80 '],
      volumes: [],
      restart: 'no',
      tty: false,
      rm: true,
    }
    expect(JSON.parse(JSON.stringify(specOf(values, 'node:24')))).toEqual({
      image: 'node:24',
      name: 'api',
      command: ['sh', '-c', 'a b'],
      env: ['A= x '],
      publish: ['80:80'],
      remove: true,
    })
  })

  it('has a terminal that is typed into', () => {
    expect(specOf({ tty: true }, 'x')).toMatchObject({ tty: true, openStdin: true })
  })

  it.each([
    ['a && b', true],
    ['echo x > /y', true],
    ['echo $HOME', true],
    ['a; b', true],
    [`sh -c 'a && b'`, false],
    ['nginx -g "daemon off;"', false],
  ])('%s has to do with a shell: %s', (command, shell) => expect(wantsShell(command)).toBe(shell))
})
