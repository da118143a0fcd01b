/** Copies out of a container and into it, while the container swaps a directory for a link to a place of ours (CVE-2018-15664). */
import { chownSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { appArchive, placeIn } from './place.ts'
import type { Room } from './room.ts'
import { asEverybody } from './suite.ts'

const archive = () => appArchive({ Cmd: ['true'] })

asEverybody('copies', (room, kind) => {
  const some = kind === 'root' ? test : test.skip

  some('a directory that turns into a link meanwhile leads nowhere but into the container', async () => {
    const here = room() as Room
    const p = await placeIn(here, 'copies', archive)
    const outside = join(here.path, 'outside')
    mkdirSync(outside)
    writeFileSync(join(outside, 'secret'), 'ours')
    chownSync(outside, here.who.uid, here.who.gid)
    const swap = `mkdir /real /d; echo theirs > /real/secret; echo theirs > /d/secret
      while :; do rm -rf /d; ln -s ${outside} /d; rm /d; mkdir /d; echo theirs > /d/secret; sleep 0.01; done`
    await p.run('swapping', 'app:1', 'sh', '-c', swap)
    writeFileSync(join(here.path, 'sent'), 'sent')
    for (let i = 0; i < 4; i++) {
      const to = join(here.path, `copied-${i}`)
      mkdirSync(to)
      await p.strata('cp', 'swapping:/d/secret', to)
      await p.strata('cp', 'swapping:/d/.', to)
      for (const name of readdirSync(to)) expect(readFileSync(join(to, name), 'utf8')).toMatch(/^(theirs\n)?$/)
      await p.strata('cp', join(here.path, 'sent'), 'swapping:/d/sent')
      await p.strata('cp', join(here.path, 'sent'), 'swapping:/d/secret')
      rmSync(to, { recursive: true })
    }
    expect(readdirSync(outside)).toEqual(['secret'])
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('ours')
  })
})
