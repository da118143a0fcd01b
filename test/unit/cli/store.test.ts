/** The verbs of the native store on the command line: docker's grammar, docker's answers. */
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { dockerArchive } from '../../harness/docker-archives.ts'
import { digest, makeImage } from '../../harness/images.ts'
import { ociArchive } from '../../harness/oci-layouts.ts'
import { workshop } from '../../harness/strata.ts'
import { tar } from '../../harness/tar.ts'

const base = tar('dir etc\nfile etc/a 3')
const top = tar('file etc/a "new"\nfile b 5')
const app = { layers: [base, top], names: ['app:1', 'registry.example:5000/app:one'] }
const other = { layers: [base], names: ['other:latest'] }
const idOf = (image: typeof app) => makeImage(image).id
const none = { code: 0, stderr: '' }

describe('strata load', () => {
  test('takes all images of an archive, and tells their names', async () => {
    const here = workshop()
    here.put('all.tar', dockerArchive([app, other], 'docker-1.10'))
    expect(await here.run(['load', '-i', 'all.tar'])).toEqual({
      ...none,
      stdout: 'Loaded image: app:1\nLoaded image: registry.example:5000/app:one\nLoaded image: other:latest\n',
    })
    const listed = (await here.run(['images', '--engine', 'native'])).stdout
      .split('\n')
      .map(line => line.split('\t').slice(0, 4))
    expect(listed.slice(1, -1)).toEqual([
      ['app', '1', 'native', idOf(app)],
      ['registry.example:5000/app', 'one', 'native', idOf(app)],
      ['other', 'latest', 'native', idOf(other)],
    ])
  })

  test('takes what comes through a pipe, and the one image that a reference means', async () => {
    const here = workshop()
    const archive = dockerArchive([app, other], 'docker-25', { gzip: true })
    here.put('all.tar.gz', archive)
    expect((await here.run(['load', '-q'], { input: archive })).stdout).toBe(`${idOf(app)}\n${idOf(other)}\n`)
    expect((await here.run(['rmi', '-f', idOf(app), 'other'])).code).toBe(0)
    expect((await here.run(['load', 'docker-archive:all.tar.gz:other:latest'])).stdout).toBe(
      'Loaded image: other:latest\n',
    )
    expect((await here.run(['images', '--engine', 'native', '--json'])).stdout.split('\n')).toHaveLength(2)
  })

  test('a tag alone is no name of an image', async () => {
    const here = workshop()
    here.put('layout.tar', ociArchive([{ image: other, tag: 'v1' }]))
    expect((await here.run(['load', '-i', 'layout.tar'])).stdout).toBe(`Loaded image ID: ${idOf(other)}\n`)
  })

  test('a name that another image has had goes over', async () => {
    const here = workshop()
    here.put('a.tar', dockerArchive(other, 'docker-1.10'))
    here.put('b.tar', dockerArchive({ ...other, layers: [top] }, 'docker-1.10'))
    await here.run(['load', '-i', 'a.tar'])
    const { stdout, stderr } = await here.run(['load', '-i', 'b.tar'])
    expect([stdout, stderr]).toEqual(['Loaded image: other:latest\n', expect.stringContaining('has this name no more')])
    expect((await here.run(['prune', '--engine', 'native', '-f'])).stdout).toContain(`Deleted: ${idOf(other)}\n`)
  })

  test.each([
    [['load', 'sample', '-i', 'x.tar'], 2, 'not both'],
    [['load', '-i', 'x.tar'], 1, 'x.tar can not be opened'],
    [['load', 'app:1@2'], 2, 'only a whole image'],
    [['save', 'app:1', '--format', 'zip'], 2, 'docker-archive, oci-archive, oci'],
    [['rmi', 'app:1', '--engine', 'docker'], 2, 'docker rmi does it there'],
    [['tag', 'app:1', 'UPPER/Case'], 2, 'lower case'],
  ])('strata %j is refused with %i', async (args, code, text) => {
    const said = await workshop().run(args)
    expect([said.code, said.stderr]).toEqual([code, expect.stringContaining(text)])
  })
})

describe('images of the store', () => {
  test('are named and unnamed as docker does it', async () => {
    const here = workshop()
    here.put('app.tar', dockerArchive(app, 'docker-1.10'))
    await here.run(['load', '-i', 'app.tar'])
    expect(await here.run(['tag', 'app:1', 'mine'])).toEqual({ ...none, stdout: '' })
    expect(await here.run(['rmi', 'app:1', 'nope', 'registry.example:5000/app:one'])).toEqual({
      code: 1,
      stdout: 'Untagged: app:1\nUntagged: registry.example:5000/app:one\n',
      stderr: expect.stringContaining('The store has no image “nope”.'),
    })
    const { stdout } = await here.run(['rmi', 'mine'])
    const [bottom, second] = [digest(base), digest(Buffer.from(`${digest(base)} ${digest(top)}`))]
    expect(stdout).toBe(`Untagged: mine:latest\nDeleted: ${idOf(app)}\nDeleted: ${second}\nDeleted: ${bottom}\n`)
    expect((await here.run(['df', '--engine', 'native', '--json'])).stdout).toContain('"reclaimable":0')
  })

  test('are looked into by bare name, by strata:NAME and by id, as of any step', async () => {
    const here = workshop()
    here.put('app.tar', dockerArchive(app, 'docker-1.10'))
    await here.run(['load', '-i', 'app.tar'])
    for (const reference of ['app:1', 'strata:app:1', `strata:${idOf(app).slice(7, 19)}`]) {
      expect((await here.run(['cat', reference, 'etc/a'])).stdout, reference).toBe('new')
      expect((await here.run(['cat', `${reference}@1`, 'etc/a'])).stdout, reference).toBe('aaa')
    }
    const { source, id } = JSON.parse((await here.run(['inspect', 'app:1'])).stdout)
    expect([source, id]).toEqual(['strata-store', idOf(app)])
  })

  test('are saved as they came, whatever came of them', async () => {
    const here = workshop()
    here.put('app.tar', ociArchive([{ image: { layers: [{ tar: base, compression: 'gzip' }, top] }, tag: 'app:1' }]))
    await here.run(['load', '-i', 'app.tar'])
    expect(await here.run(['save', '-o', 'docker.tar', 'app:1'])).toEqual({ ...none, stdout: '' })
    const docker = execFileSync('tar', ['-tf', join(here.path, 'docker.tar')])
      .toString()
      .split('\n')
    expect(docker).toEqual([
      `${idOf(app).slice(7)}.json`,
      `${digest(base).slice(7)}.tar`,
      `${digest(top).slice(7)}.tar`,
      'manifest.json',
      '',
    ])
    await here.run(['save', '--format', 'oci-archive', '-o', 'oci.tar', 'app:1'])
    await here.run(['save', '--format', 'oci', '-o', 'layout', 'app:1'])
    expect(readdirSync(join(here.path, 'layout')).sort()).toEqual(['blobs', 'index.json', 'oci-layout'])
    expect((await here.run(['save', '--format', 'oci', '-o', 'layout', 'app:1'])).stderr).toContain('is not empty')
    const facts = async (reference: string) => {
      const { id, digest, layers } = JSON.parse((await here.run(['inspect', reference])).stdout)
      return { id, digest, layers: layers.map((layer: { digest: string }) => layer.digest) }
    }
    const kept = await facts('strata:app:1')
    expect([await facts('./oci.tar'), await facts('./layout')]).toEqual([kept, kept])
    expect((await facts('./docker.tar')).id).toBe(kept.id)
    // The same image gives the same archive, through a pipe too.
    const piped = await here.bytes(['save', 'app:1'])
    expect(digest(piped)).toBe(digest(execFileSync('cat', [join(here.path, 'docker.tar')])))
  })

  test('go when nobody needs them, and not before prune has said so', async () => {
    const here = workshop()
    here.put('app.tar', dockerArchive(app, 'docker-1.10'))
    await here.run(['load', '-i', 'app.tar'])
    expect((await here.run(['prune', '--engine', 'native', '--dry-run'])).stdout).toBe(
      'Space that would be freed: 0 B\n',
    )
    const dry = (await here.run(['prune', '--engine', 'native', '--all', '--dry-run'])).stdout
    expect(dry).toContain(`Would delete: ${idOf(app)}\n`)
    expect((await here.run(['images', '--engine', 'native', '--json'])).stdout).not.toBe('')
    expect((await here.run(['prune', '--engine', 'native', '--all', '--force'])).stdout).toBe(
      dry
        .replaceAll('Would delete', 'Deleted')
        .replaceAll('Would untag', 'Untagged')
        .replace('Space that would be freed', 'Space freed'),
    )
    expect(await here.run(['images', '--engine', 'native'])).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('The native store is empty'),
    })
  })

  test('df tells of every blob once, who needs it, and what an image really costs', async () => {
    const here = workshop()
    here.put('all.tar', dockerArchive([app, other], 'docker-1.10'))
    await here.run(['load', '-i', 'all.tar'])
    const { stdout } = await here.run(['df', '--engine', 'native', '-v', '--json'])
    const rows = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    const blob = (bytes: Uint8Array) => rows.filter(row => row.kind === 'layer' && row.id === `blob ${digest(bytes)}`)
    expect(blob(base)).toMatchObject([{ note: 'blob', users: ['app:1', 'other:latest'] }])
    expect(blob(top)).toMatchObject([{ users: ['app:1'] }])
    const image = rows.find(row => row.name === 'other:latest')
    const documents = rows.filter(row => row.kind === 'layer' && row.users.join() === 'other:latest')
    expect(image.bytes).toBe(documents.reduce((sum, row) => sum + row.bytes, 0))
    expect(image.shared).toBe(blob(base)[0].bytes)
    const dry = JSON.parse((await here.run(['prune', '--engine', 'native', '-a', '--dry-run', '--json'])).stdout)
    expect(dry.bytes).toBe(rows.filter(row => row.kind === 'layer').reduce((sum, row) => sum + row.bytes, 0))
    expect(dry.removed.map((one: { kind: string }) => one.kind)).toEqual(['image', 'image'])
  })

  test('prune without a terminal to ask on wants --force', async () => {
    const here = workshop()
    here.put('app.tar', dockerArchive(app, 'docker-1.10'))
    await here.run(['load', '-i', 'app.tar'])
    const said = await here.run(['prune', '--engine', 'native', '--all'], { input: Buffer.from('y\n') })
    expect([said.code, said.stderr]).toEqual([2, expect.stringContaining('strata prune --force')])
    expect((await here.run(['images', '--engine', 'native', '--json'])).stdout).not.toBe('')
  })
})
