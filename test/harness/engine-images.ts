/** Images on real engines: a base from the machine's own busybox, and builds on top of it with any builder. */
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { command } from './command.ts'
import type { TestEngine } from './engines.ts'

/** Makes an image of one layer, busybox with its applets as links, and names it. */
export async function importBusybox(engine: TestEngine, name = 'busybox:test'): Promise<void> {
  const root = mkdtempSync(join(engine.scratch.path, 'base-'))
  for (const folder of ['bin', 'etc', 'tmp', 'root', 'proc', 'sys', 'dev', 'var/log'])
    mkdirSync(join(root, folder), { recursive: true })
  await command('cp', [existsSync('/bin/busybox') ? '/bin/busybox' : '/usr/bin/busybox', join(root, 'bin')])
  await command('/bin/sh', ['-c', 'for a in $(bin/busybox --list); do [ -e bin/$a ] || ln -s busybox bin/$a; done'], {
    cwd: root,
  })
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n')
  const archive = `${root}.tar`
  await command('tar', [
    '-cf',
    archive,
    '--owner=0',
    '--group=0',
    '--mtime=@1700000000',
    '--sort=name',
    '-C',
    root,
    '.',
  ])
  await command('chmod', ['644', archive])
  await engine.cli('import', '--change', 'CMD ["/bin/sh"]', archive, name)
}

export type Builder = 'classic' | 'buildkit' | 'podman'

export interface BuildOptions {
  tag: string
  builder: Builder
  dockerfile: string
  files?: Record<string, string>
  args?: string[]
}

/** Builds an image with one of the three builders from a Dockerfile and files that are given as text. */
export async function buildImage(
  engine: TestEngine,
  { tag, builder, dockerfile, files = {}, args = [] }: BuildOptions,
): Promise<void> {
  const context = mkdtempSync(join(engine.scratch.path, 'context-'))
  await command('chmod', ['755', context])
  for (const [name, content] of Object.entries({ Dockerfile: dockerfile, ...files })) {
    mkdirSync(dirname(join(context, name)), { recursive: true })
    writeFileSync(join(context, name), content)
  }
  if (builder === 'podman') {
    await engine.cli('build', '--isolation=chroot', '-t', tag, ...args, context)
    return
  }
  const env = { DOCKER_BUILDKIT: builder === 'buildkit' ? '1' : '0' }
  await engine.cliWith(env, 'build', '--network=host', '-t', tag, ...args, context)
}
