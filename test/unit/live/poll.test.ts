/** An upper layer that can only be asked for: what a round tells, and how much it asks. */
import { describe, expect, test } from 'vitest'
import { Kind } from '../../../src/layer/entry.ts'
import { type Pollable, pollUpper } from '../../../src/live/poll.ts'

type Found = Awaited<ReturnType<Pollable['changes']>>

function found(...lines: string[]): Found {
  return lines.map(line => ({ change: line[0] as 'A', path: Buffer.from(line.slice(2)) }))
}

interface Round {
  told: string[]
  looked: string[]
  notices: string[]
}

/** What each of the rounds tells, as text, and which paths it looked at. */
async function rounds(answers: (Found | Error)[], look: Pollable['look']): Promise<Round[]> {
  const stop = new AbortController()
  let looked: string[] = []
  const asked: Pollable = {
    isGone: error => error instanceof Error && error.message === 'gone',
    async changes() {
      const answer = answers[Math.min(all.length, answers.length - 1)]!
      if (answer instanceof Error) throw answer
      return answer
    },
    look(path: Uint8Array, signal: AbortSignal) {
      looked.push(Buffer.from(path).toString())
      return look(path, signal)
    },
  }
  const all: Round[] = []
  for await (const { changes, notices } of pollUpper(asked, stop.signal)) {
    const told = changes.map(({ op, path, size }) => `${op} ${Buffer.from(path).toString()} ${size ?? '?'}`)
    all.push({ told, looked, notices })
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

  test('that fails is told, and what was known stays; the next one goes on from there', async () => {
    const answers = [found('A a'), new Error('socket hang up'), found('A a', 'A b')]
    const [, failed, back] = await rounds(answers, async () => file(1))
    expect([failed!.told, failed!.notices]).toEqual([[], [expect.stringContaining('socket hang up')]])
    expect([back!.told, back!.notices]).toEqual([['A b 1'], []])
  })

  test('for which there is no container any more is the last one', async () => {
    await expect(rounds([found('A a'), new Error('gone'), found()], async () => null)).rejects.toThrow('gone')
    await expect(rounds([new Error('socket hang up')], async () => null)).rejects.toThrow('socket hang up')
  })
})
