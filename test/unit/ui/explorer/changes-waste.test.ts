import { describe, expect, it } from 'vitest'
import { changeRows } from '../../../../src/ui/explorer/change-rows.ts'
import { makeScene } from '../../../../src/ui/explorer/scene.ts'
import { runNow } from '../../../../src/ui/explorer/slices.ts'
import { stepStory } from '../../../../src/ui/explorer/step-story.ts'
import { wastedPaths, wasteGroups } from '../../../../src/ui/explorer/waste-rows.ts'
import { filtered, paths, sceneOf, stackOfText, world } from '../../../harness/explorer-text.ts'

const story = (...layers: string[]) => {
  const stack = stackOfText(...layers)
  return runNow(stepStory(sceneOf(stack), { stepOf: world.stepOf, uncompared: 0 }))
}

describe('the changes as a flat list', () => {
  const stack = () =>
    stackOfText('file d/a 10\nfile d/b 20\nfile e 5\nfile k 1', 'gone d\nfile e 50\nfile n/m 7\nfile n/l 9')

  it('leaves out what goes with a deleted directory', () => {
    const of = stack()
    expect(paths(of, runNow(changeRows(sceneOf(of), 'name', null)))).toEqual(['d', 'n', 'n/l', 'n/m', 'e'])
  })

  it('is in order of size where that is asked for', () => {
    const of = stack()
    expect(paths(of, runNow(changeRows(sceneOf(of), 'size', null)))).toEqual(['e', 'd', 'n', 'n/l', 'n/m'])
  })

  it('shows deleted things below a deleted directory to a filter', () => {
    const of = stack()
    const scene = sceneOf(of)
    expect(paths(of, runNow(changeRows(scene, 'name', filtered(scene, 'type:file').marks)))).toEqual([
      'd/a',
      'd/b',
      'n/l',
      'n/m',
      'e',
    ])
  })
})

describe('the ledger in groups', () => {
  const stack = () =>
    stackOfText(
      'file a/x 100\nfile a/y 200\nfile b 50\nfile keep 1',
      'file a/x 100\nfile a/y 200\ngone b',
      'file a/x 300\nopaque a\nfile t 5',
    )

  it('tells one story a group, biggest first, with the directory that all of it lies in', () => {
    const of = stack()
    const groups = runNow(wasteGroups(of)).map(
      ({ cause, storedIn, lostIn, bytes, rows, node }) =>
        `${bytes} ${cause} ${storedIn}->${lostIn} ${rows.length} in ${paths(of, [node])}`,
    )
    expect(groups).toEqual(['300 overwritten 0->1 2 in a', '300 opaque 1->2 2 in a', '50 deleted 0->1 1 in b'])
  })

  it('adds up to what is wasted', () => {
    const of = stack()
    const sum = runNow(wasteGroups(of)).reduce((all, group) => all + group.bytes, 0)
    expect(sum).toBe(of.stored - of.visible)
    expect(runNow(wastedPaths(of)).reduce((all, path) => all + path.bytes, 0)).toBe(sum)
  })

  it('by path adds up the copies of one path', () => {
    const of = stack()
    expect(runNow(wastedPaths(of)).map(path => `${paths(of, [path.node])} ${path.bytes} x${path.copies}`)).toEqual([
      'a/y 400 x2',
      'a/x 200 x2',
      'b 50 x1',
    ])
  })
})

describe('a step told in sentences', () => {
  it('adds', () => {
    expect(story('dir d\nfile d/a 1000\nlink l -> d')).toEqual(['Adds 1 file in 1 new directory, 1 kB.'])
    expect(story('dir d')).toEqual(['Adds 1 directory.'])
  })

  it('stores again to change an owner, and says whose file it was', () => {
    expect(
      story('file a 1000\nfile b 500', 'file c 1', 'file a 1000 0644 1:1\nfile b 500 0644 1:1\nfile c 1 0644 1:1'),
    ).toEqual(['Stores 1.5 kB again to change the owner of 3 files of steps 1 and 2.'])
  })

  it('stores again what is the same', () => {
    expect(story('file a 1000', 'file a 1000')).toEqual(['Stores 1 kB again: 1 file of step 1, unchanged.'])
  })

  it('overwrites and deletes, and says what stays', () => {
    expect(story('file a 1000\nfile b 500\nfile d/c 5', 'file a 1\ngone b\ngone d')).toEqual([
      'Overwrites 1 file of step 1: the old 1 kB stay in the image.',
      'Deletes 2 files of step 1: their 505 B stay in the image.',
    ])
  })

  it('changes what costs nothing', () => {
    expect(story('dir d\nlink l -> a', 'dir d 0700\nlink l -> b')).toEqual([
      'Changes the mode of 1 directory and the target of 1 link.',
    ])
    expect(story('dir d mtime=1', 'dir d mtime=2')).toEqual(['Changes nothing in the file system.'])
  })

  it('says what is lost again later', () => {
    const stack = stackOfText('file a 1000\nfile b 10', 'gone a', 'file b 20')
    expect(runNow(stepStory(makeScene(stack, 0, 0), { stepOf: world.stepOf, uncompared: 0 }))).toEqual([
      'Adds 2 files, 1.01 kB.',
      '1.01 kB of it are lost again, most of it in step 2.',
    ])
  })
})
