/**
 * From the keys alone, in the real program on a real terminal, on each engine: a container is started, its layer changes on
 * the screen, a shell is opened in it, it is stopped, committed and removed.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { node } from '../harness/bundle.ts'
import { command } from '../harness/command.ts'
import { importBusybox } from '../harness/engine-images.ts'
import { startDocker, startPodman, type TestEngine } from '../harness/engines.ts'
import { type Pty, startPty } from '../harness/pty.ts'
import { buildWhole } from '../harness/whole-program.ts'

let docker: TestEngine
let podman: TestEngine
let program: { path: string; remove(): void }
let env: Record<string, string>

beforeAll(async () => {
  ;[docker, podman, program] = await Promise.all([startDocker(), startPodman(), buildWhole()])
  await Promise.all([importBusybox(docker), importBusybox(podman)])
  const home = join(docker.scratch.path, 'home')
  mkdirSync(home)
  env = {
    PATH: `${dirname(node)}:${process.env.PATH}`,
    HOME: home,
    XDG_CACHE_HOME: join(home, 'cache'),
    XDG_CONFIG_HOME: join(home, 'config'),
    STRATA_ROOT: join(home, 'strata'),
    DOCKER_HOST: `unix://${docker.socket}`,
    CONTAINER_HOST: `unix://${podman.socket}`,
  }
  const archive = join(docker.scratch.path, 'busybox.tar')
  await docker.cli('save', '-o', archive, 'busybox:test')
  await command(program.path, ['load', '-i', archive], { env })
  rmSync(archive)
})
afterAll(async () => {
  await Promise.all([docker?.stop(), podman?.stop()])
  program?.remove()
})

/** It writes a file as soon as somebody has asked for it, and ends when it is told to. */
const script = `sh -c 'trap "exit 0" TERM; until [ -e /go ]; do sleep 0.1; done; echo new > /grown; while :; do sleep 0.1; done'`

test.each(['docker', 'podman', 'native'])('on %s', async engine => {
  // A second try begins where the first one did.
  const left = (await command(program.path, ['ps', '-aq', '--engine', engine], { env })).split('\n').filter(Boolean)
  if (left.length > 0) await command(program.path, ['rm', '-f', '--engine', engine, ...left], { env })
  const pty = startPty(program.path, ['--engine', engine], { environment: env })
  await pickImage(pty)
  pty.press('r')
  await pty.until(/▸ name/)
  pty.send('web')
  await goTo(pty, 'command')
  pty.send(script)
  await goTo(pty, 'network')
  pty.send('none')
  pty.press('ctrl-s')
  await pty.until(/▸ +web +running/)

  pty.press('enter')
  await pty.until('live layer')
  await pty.until('s shell')
  pty.press('s')
  await pty.until(/\/ # ?$/m)
  pty.send('touch /go; until [ -e /grown ]; do sleep 0.1; done; exit\r')
  await pty.until('live layer')
  await pty.until(/A .*grown/)
  pty.press('q')
  await pty.until(/▸ +web +running/)
  // It has no terminal: ctrl-c is not its.
  pty.press('A')
  await pty.until('web has no terminal: this is what it says.')
  pty.press('ctrl-c')
  await pty.until(/▸ +web +running/)

  pty.press('S')
  await pty.until(/▸ +web +exited 0/)
  pty.press('C')
  await pty.until('Commit web as an image')
  pty.send('snap:1')
  pty.press('ctrl-s')
  await pty.until('committed web as snap:1')
  pty.press('enter')
  await pty.until(/snap:1.*2 layers/)
  pty.press('q')
  await pty.until(/▸ +web +exited 0/)
  pty.press('D')
  await pty.until('Remove 1 container?')
  pty.press('y')
  await pty.until('removed web')
  await pty.until('No containers here yet.')

  await leavesTerminal(pty, engine === 'podman' ? 'localhost/busybox:test' : 'busybox:test')
  pty.press('J')
  for (const what of ['ran web', 'stopped web', 'committed web as snap:1', 'removed web', 'ran there'])
    await pty.until(new RegExp(`done .*${what}`))
  pty.press('q', 'q')
  expect(await pty.ended).toEqual({ code: 0, signal: 0 })
  expect(pty.whole()).toBe(true)

  expect(await command(program.path, ['images', '--engine', engine], { env })).toMatch(/snap\t1\t/)
  expect(await command(program.path, ['ps', '-aq', '--engine', engine], { env })).toBe('')
})

/** Of a container that has the terminal one lets go, and it goes on; killed and removed by what the keys say. */
async function leavesTerminal(pty: Pty, image: string): Promise<void> {
  pty.press('n')
  await pty.until(/▸ image/)
  pty.send(image)
  await goTo(pty, 'name')
  pty.send('there')
  await goTo(pty, 'network')
  pty.send('none')
  await goTo(pty, 'terminal')
  pty.press('space', 'ctrl-s')
  await pty.until('there: ctrl-p ctrl-q comes back to strata, and it goes on.')
  await pty.until(/\/ # ?$/m)
  pty.send('echo $((6 * 7))\r')
  await pty.until(/^42/m)
  pty.send('\x10\x11')
  await pty.until(/▸ +there +running/)
  pty.press('K', '9')
  await pty.until('Kill 1 container?')
  pty.press('y')
  await pty.until(/▸ +there +exited 137/)
  pty.press('D')
  await pty.until('Remove 1 container?')
  pty.press('y')
  await pty.until('No containers here yet.')
}

/** The cursor on the image, whatever else there is. */
async function pickImage(pty: Pty): Promise<void> {
  await pty.until(/busybox +test/)
  pty.press('/')
  pty.send('busybox')
  pty.press('enter')
  await pty.until(/1 of 1/)
}

/** To a field of the form. */
async function goTo(pty: Pty, label: string): Promise<void> {
  for (;;) {
    const at = /▸ (\S+)/.exec(pty.text())?.[1]
    if (at === label) return
    pty.press('tab')
    await pty.until(screen => /▸ (\S+)/.exec(screen)?.[1] !== at)
  }
}
