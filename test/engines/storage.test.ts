/** The disks of the machine's Docker and Podman: `system df` and the blocks of the disk are the judges. */
import { expect } from 'vitest'
import { imageCosts, totals } from '../../src/engine/usage-sums.ts'
import { startDocker, startPodman } from '../harness/engines.ts'
import { describeStorage } from '../harness/storage-suite.ts'

describeStorage({
  name: 'Docker',
  start: () => startDocker(),
  builder: 'classic',
  buildCache: true,
  async judge(engine, usage) {
    const told = JSON.parse(await engine.cli('system', 'df', '-v', '--format', '{{json .}}')) as DockerDf
    const costs = imageCosts(usage)
    const sizes = usage.images.map(one => {
      const { unique, shared } = costs.get(one.id)!
      return [one.id, round(unique.bytes), round(shared.bytes)]
    })
    // Docker lists an image once a name.
    const theirs = told.Images.map(one => [one.ID, one.UniqueSize, one.SharedSize])
    expect(unique(sizes)).toEqual(unique(theirs))
    expect(usage.containers.map(one => [one.name, round(one.upperBytes!, 3)]).sort()).toEqual(
      told.Containers.map(one => [one.Names, one.Size]).sort(),
    )
    expect(usage.volumes.map(one => [one.name, round(one.bytes!), String(one.users.length)]).sort()).toEqual(
      told.Volumes.map(one => [one.Name, one.Size, one.Links]).sort(),
    )
    const [images] = totals(usage)
    expect(images!.size.bytes).toBe(usage.layers.reduce((sum, one) => sum + one.bytes!, 0))
  },
})

interface DockerDf {
  Images: { ID: string; UniqueSize: string; SharedSize: string }[]
  Containers: { Names: string; Size: string }[]
  Volumes: { Name: string; Size: string; Links: string }[]
}

describeStorage({
  name: 'Podman',
  start: () => startPodman(),
  builder: 'podman',
  buildCache: false,
  async judge(engine, usage) {
    const told = (await engine.cli('system', 'df', '-v')).split('\n\n')
    const words = (part: string) => part.split('\n').map(line => line.trim().split(/\s{2,}/))
    const containers = words(told[3] ?? '').slice(1)
    expect(told.length).toBeGreaterThan(4)
    expect(usage.containers.map(one => one.name).sort()).toEqual(containers.map(one => one.at(-1)).sort())
    expect(usage.volumes.map(one => [one.name, String(one.users.length), round(one.bytes!)]).sort()).toEqual(
      words((told[5] ?? '').trim())
        .slice(1)
        .sort(),
    )
  },
})

/** As Docker and Podman write sizes: four digits, of containers three. */
function round(bytes: number, digits = 4): string {
  const units = ['B', 'kB', 'MB', 'GB']
  let value = bytes
  let unit = 0
  while (value >= 1000) {
    value /= 1000
    unit++
  }
  return `${Number(value.toPrecision(digits))}${units[unit]}`
}

function unique(rows: unknown[]): string[] {
  return [...new Set(rows.map(one => JSON.stringify(one)))].sort()
}
