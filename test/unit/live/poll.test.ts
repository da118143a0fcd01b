/** An upper layer that can only be asked for: what a round tells, and how much it asks. */
import { describe, expect, test } from 'vitest'
import { Kind } from '../../../src/layer/entry.ts'
import { type Pollable, pollUpper } from '../../../src/live/poll.ts'

type Found = Awaited<ReturnType<Pollable['changes']>>

function found(...lines: string[]): Found {
  return lines.map(line => ({ change: line[0] as 'A', path: Buffer.from(line.slice(2)) }))
}

/** What each of the rounds tells, as text, and which paths it looked at. */
async function rounds(answers: Found[], look: Pollable['look']): Promise<{ told: string[]; looked: string[] }[]> {
  const stop = new AbortController()
  let looked: string[] = []
  const asked = {
    changes: async () => answers[Math.min(all.length, answers.length - 1)]!,
    look(path: Uint8Array, signal: AbortSignal) {
      looked.push(Buffer.from(path).toString())
      return look(path, signal)
    },
  }
  const all: { told: string[]; looked: string[] }[] = []
  for await (const { changes } of pollUpper(asked, stop.signal)) {
    const told = changes.map(({ op, path, size }) => `${op} ${Buffer.from(path).toString()} ${size ?? '?'}`)
    all.push({ told, looked })
    looked = []
    if (all.length === answers.length) stop.abort()
  }
  return all
}

const file = (size: number) => ({ kind: Kind.file, size, mode: 0o644, mtime: 0 })

describe('a round', () => {
  test('tells what is different since the one before', async () => {
    const sizes = new Map([['a', [1, 5]]])
    const look = async (path: Uint8Array) => file(sizes.get(Buffer.from(path).toString())?.shift() ?? 7)
    const [first, second] = await rounds([found('A a', 'D b', 'C c'), found('A a', 'C c')], look)
    expect(first!.told).toEqual(['A a 1', 'D b ?', 'C c 7'])
    expect(second!.told).toEqual(['A a 5', '- b ?'])
  })

  test('looks at a bounded number of paths, and the next one at the others', async () => {
    const names = Array.from({ length: 300 }, (_, at) => `A file-${at}`)
    const [first, second] = await rounds([found(...names), found(...names)], async () => file(1))
    expect([first!.looked.length, second!.looked.length]).toEqual([200, 200])
    expect(new Set([...first!.looked, ...second!.looked]).size).toBe(300)
  })
})
