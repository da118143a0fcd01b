/** What is done from the Containers screen beyond starting and stopping: making, committing, copying, attaching, processes, the journal. */
import { beforeAll, describe, expect, it } from 'vitest'
import { Fault } from '../../../src/base/errors.ts'
import { commitFrom } from '../../../src/ui/containers/commit.ts'
import { createContainers } from '../../../src/ui/containers/containers.ts'
import { newContainer } from '../../../src/ui/containers/new.ts'
import type { Screen } from '../../../src/ui/screen.ts'
import { container, type FakeEngine, fakeContainers } from '../../harness/fake-containers.ts'
import { expectFrame } from '../../harness/frames.ts'
import { type MountOptions, mountScreen } from '../../harness/mount.tsx'

beforeAll(() => {
  process.env.TZ = 'UTC'
})

const docker: Partial<FakeEngine> & { id: string } = {
  id: 'docker',
  containers: [container('web'), container('worker', { state: 'exited', status: 'Exited (0) 5 minutes ago' })],
  images: {
    'node:24': {
      cmd: ['node', 'server.js'],
      entrypoint: ['docker-entrypoint.sh'],
      exposedPorts: ['3000/tcp'],
      env: ['PATH=/usr/bin', 'NODE_VERSION=24'],
      workingDir: '/app',
      user: 'node',
    },
  },
  processes: {
    web: [
      { pid: 4711, inside: 1, started: 10, cpu: 61, resident: 84e6, user: 'node', command: 'node server.js' },
      { pid: 4790, inside: 17, started: 12, cpu: 3700, resident: 2e6, user: 'root', command: 'sh -c \x1b[2Jevil' },
    ],
  },
}
const native: Partial<FakeEngine> & { id: string } = {
  id: 'native',
  kind: 'native',
  capabilities: { ports: false, restartPolicies: false, networks: ['none', 'host'] },
}

async function shown(engines = [docker, native], options: MountOptions & { readOnly?: boolean } = {}) {
  const fake = fakeContainers(engines, options)
  const app = await mountScreen(createContainers, {
    ...options,
    explorer: (ui, reference): Screen => ({
      id: 'explorer',
      title: () => reference,
      scopes: () => [],
      actions: [],
      draw: () => [`exploring ${reference}`.padEnd(ui.size().columns)],
      subscribe: () => () => {},
    }),
    services: { containers: fake.service },
  })
  return { ...app, fake }
}

const node = { name: 'node:24', reference: 'docker-daemon:node:24', engine: 'docker' }

describe('a new container', () => {
  it.each([
    [120, 36],
    [60, 20],
    [40, 12],
  ])('is asked for with what its image says, at %ix%i', async (columns, rows) => {
    const app = await shown([docker, native], { columns, rows })
    if (rows > 12) await app.until('It has said nothing yet.')
    void newContainer(app.host, node)
    await app.until('Run node:24')
    if (rows > 12) await app.until('3000:3000')
    await expectFrame(app, 'containers/new', { styles: columns === 60 })
  })

  it('says what is wrong while it is typed, and what does the same', async () => {
    const app = await shown()
    await app.until('It has said nothing yet.')
    void newContainer(app.host, node)
    await app.until('3000:3000')
    await app.type('api')
    await app.press('tab', 'tab')
    await app.type('A=1')
    await app.press('enter')
    await app.type('oops')
    await app.until('A variable is written NAME=value.')
    await app.until('docker run -d --name api -e A=1 -e oops node:24')
    await expectFrame(app, 'containers/new-wrong')
    await app.press('ctrl-s')
    expect(app.fake.asked).toEqual([])
    await app.press('ctrl-u')
    await app.press('ctrl-s')
    await app.until('started api')
    expect(app.fake.asked).toEqual(['create node:24', `start ${'f'.repeat(64)}`, 'refresh'])
    expect(app.fake.wishes).toMatchObject([{ image: 'node:24', name: 'api', env: ['A=1'], stdinOnce: false }])
  })

  it('has the cursor as soon as it is on the list', async () => {
    const app = await shown()
    void newContainer(app.host, node)
    await app.until('Run node:24')
    await app.press('ctrl-s')
    await app.until('started')
    const fresh = container('new', { id: 'f'.repeat(64), created: 1 })
    app.fake.change('docker', { containers: [...docker.containers!, fresh] })
    await app.until(/▸ +new /)
  })

  it('is made and not started with the other button', async () => {
    const app = await shown()
    void newContainer(app.host, node)
    await app.until('Run node:24')
    await app.press('shift-tab', 'shift-tab', 'shift-tab', 'right', 'enter')
    await app.until('created')
    expect(app.fake.asked).toEqual(['create node:24', 'refresh'])
  })

  it('with a terminal gets this one', async () => {
    const app = await shown()
    void newContainer(app.host, node)
    await app.until('Run node:24')
    for (let at = 0; at < 9; at++) await app.press('tab')
    await app.press('space')
    await app.until('docker run -t -i node:24')
    await app.press('ctrl-s')
    await app.until(() => app.fake.asked.includes('attach docker new and start it'))
  })

  it('asks for the image where none was under the cursor, and is left without a question when nothing was typed', async () => {
    const app = await shown()
    await app.press('n')
    await app.until('New container')
    await app.type('node:24')
    await app.until('3000:3000')
    await app.press('esc')
    await app.until('Once more esc throws away')
    await app.press('esc')
    await app.press('n')
    await app.until('New container')
    await app.press('esc')
    await app.until(screen => !screen.includes('New container'))
    expect(app.fake.asked).toEqual([])
  })

  it('that does not start stays, and the reason is told', async () => {
    const app = await shown([{ ...docker, failures: { start: new Fault('docker says: the port is taken.') } }])
    void newContainer(app.host, node)
    await app.until('Run node:24')
    await app.press('ctrl-s')
    await app.until('docker says: the port is taken.')
    expect(app.fake.asked).not.toContain('remove new')
  })
})

describe('committing', () => {
  it('asks for a name, shows what does the same, and leads to the image', async () => {
    const app = await shown()
    await app.until('It has said nothing yet.')
    await app.press('C')
    await app.until('Commit web as an image')
    await app.type('Web:1')
    await app.until('is no repository.')
    await app.press('home', 'delete')
    await app.type('w')
    await app.press('tab')
    await app.type("it's so")
    await app.until(`docker commit --message 'it'\\''s so' web web:1`)
    await expectFrame(app, 'containers/commit')
    await app.press('ctrl-s')
    await app.until('committed web as web:1')
    expect(app.fake.wishes).toMatchObject([{ reference: 'web:1', message: "it's so", pause: true }])
    await app.press('enter')
    await app.until('exploring docker-daemon:web:1')
  })

  it('reaches the engine by its name where nobody watches it', async () => {
    const app = await shown()
    void commitFrom(app.host, 'docker', container('worker', { state: 'exited' }))
    await app.until('it does not run: nothing changes meanwhile')
    await app.press('ctrl-s')
    await app.until('committed worker as cccccccccccc')
    expect(app.fake.asked).toEqual(['commit worker'])
  })
})

describe('copying', () => {
  it('completes both paths on their own side', async () => {
    const app = await shown()
    await app.press('c')
    await app.until('Copy files of web')
    await app.type('/e')
    await app.press('tab')
    await app.until('/etc/')
    await app.press('tab')
    await app.until('docker cp web:/etc/passwd ./')
    await app.press('ctrl-s')
    await app.until('copied /etc/passwd out of web to ./')
    expect(app.fake.asked).toEqual(['copy on docker /etc/passwd to ./'])
  })

  it('goes the other way too', async () => {
    const app = await shown()
    await app.press('c')
    await app.until('Copy files of web')
    await app.press('shift-tab', 'right', 'tab')
    await app.type('note')
    await app.press('tab')
    await app.type('/tmp/')
    await app.until('docker cp ./note web:/tmp/')
    await app.press('ctrl-s')
    await app.until('copied ./note into web to /tmp/')
  })
})

describe('processes', () => {
  it('are listed, the hostile ones harmlessly, and go in the order that is asked for', async () => {
    const app = await shown()
    await app.press('t')
    await app.until('node server.js')
    await app.press('t')
    await app.until('by processor time')
    await expectFrame(app, 'containers/processes')
    expect(app.text()).toContain('\\x1b[2Jevil')
  })

  it('get signals; what ends the container is asked for again', async () => {
    const app = await shown()
    await app.press('t')
    await app.until('node server.js')
    await app.press('K')
    await app.until('It is the first one')
    await app.press('t')
    await app.until('Send TERM to process 1 of web?')
    await app.until('kill -s TERM 4711')
    await app.press('n')
    await app.press('j', 'K', '1')
    await app.until('sent HUP to process 17 from this machine')
    expect(app.fake.asked).toEqual(['HUP to 17 of web'])
  })
})

describe('the journal', () => {
  it('has everything that was done, with what does the same, and what failed with its reason', async () => {
    const app = await shown([{ ...docker, failures: { pause: new Fault('docker says: it can not be frozen.') } }])
    await app.press('S')
    await app.until('stopped web')
    await app.press('p')
    await app.until('it can not be frozen')
    await app.press('esc', 'J')
    await app.until('docker pause web')
    await expectFrame(app, 'containers/journal')
    await app.press('enter')
    await app.until('Error')
    await app.press('esc', 'y')
    await app.until('copied the command (16 B)')
    await app.press('Y')
    await app.until('copied 2 commands')
  })

  it('is empty in read-only mode, where nothing of all this is offered', async () => {
    const app = await shown([docker, native], { readOnly: true })
    await app.press('n', 'C', 'c', 'A')
    expect(app.fake.asked).toEqual([])
    await app.press('t')
    await app.until('node server.js')
    await app.press('K')
    expect(app.text()).not.toContain('A signal to')
    await app.press('J')
    await app.until('Nothing is done in read-only mode.')
  })
})

it('attaching gives the terminal away', async () => {
  const app = await shown()
  await app.press('A')
  await app.until(() => app.fake.asked.length > 0)
  expect(app.fake.asked).toEqual(['attach docker web'])
})
