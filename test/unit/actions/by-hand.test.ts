/** Command lines that do by hand what the screens do. */
import { describe, expect, it } from 'vitest'
import { commitLine, runLine, verbLine } from '../../../src/actions/by-hand.ts'
import { shellLine } from '../../../src/base/shell-words.ts'
import { parseHost } from '../../../src/engine/address.ts'
import { clientWords } from '../../../src/engine/client-words.ts'

describe('what reaches an engine by hand', () => {
  const at = (host: string, origin = 'socket') => ({ origin, address: parseHost(host, 'test') })
  it.each([
    ['docker', at('unix:///var/run/docker.sock'), 0, 'docker'],
    ['docker', at('unix:///run/user/7/docker.sock'), 7, 'docker -H unix:///run/user/7/docker.sock'],
    ['docker', at('ssh://ada@far', 'context work'), 7, 'docker --context work'],
    ['docker', at('tcp://far:2375', 'DOCKER_HOST'), 7, 'docker'],
    ['docker', at('tcp://far:2375', '--host'), 7, 'docker -H tcp://far:2375'],
    ['podman', at('unix:///run/podman/podman.sock'), 0, 'podman'],
    ['podman', at('unix:///run/podman/podman.sock'), 7, 'podman --url unix:///run/podman/podman.sock'],
    ['podman', at('unix:///run/user/7/podman/podman.sock'), 7, 'podman'],
    ['podman', at('tcp://far:1', 'CONTAINER_HOST'), 7, 'podman --remote'],
  ] as const)('%s, %j, user %i: %s', (kind, endpoint, uid, line) =>
    expect(shellLine(clientWords(kind, endpoint, uid))).toBe(line))
})

describe('a command line', () => {
  const docker = { kind: 'docker' } as const
  const native = { kind: 'native' } as const
  it('of a verb has the client in front and the names at the end', () => {
    expect(verbLine(native, ['rm', '-f'], ['a', 'b']).join(' ')).toBe('strata rm -f a b')
    const work = { kind: 'docker', command: ['docker', '--context', 'work'] } as const
    expect(verbLine(work, ['stop'], ['a']).join(' ')).toBe('docker --context work stop a')
  })

  it('of a new container has a flag for each wish, and none for what nobody wished', () => {
    expect(shellLine(runLine(docker, { image: 'node' }, 'create'))).toBe('docker create node')
    const spec = {
      image: 'node:24',
      name: 'web',
      command: ['sh', '-c', 'a b'],
      env: ['A=1', "B=it's"],
      publish: ['8080:80'],
      volumes: ['/a b:/c:ro'],
      user: '1000',
      workingDir: '/x',
      network: 'host',
      restart: 'always',
      remove: true,
    }
    expect(shellLine(runLine(docker, spec, 'run'))).toBe(
      `docker run -d --rm --name web --user 1000 --workdir /x -e A=1 -e 'B=it'\\''s' -p 8080:80 -v '/a b:/c:ro' --network host --restart always node:24 sh -c 'a b'`,
    )
    expect(shellLine(runLine(native, { image: 'x', tty: true, openStdin: true, restart: 'no' }, 'run'))).toBe(
      'strata run -t -i x',
    )
  })

  it('of a commit says each engine in its own words not to freeze', () => {
    const spec = { reference: 'a:1', message: 'why not', pause: false }
    expect(shellLine(commitLine(docker, 'web', spec))).toBe("docker commit --pause=false --message 'why not' web a:1")
    expect(shellLine(commitLine(native, 'web', spec))).toBe("strata commit --no-pause --message 'why not' web a:1")
  })
})
