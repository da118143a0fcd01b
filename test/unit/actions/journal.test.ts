/** The journal: what was done, what came of it, and the script that does it again. */
import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { createJournal, journalScript, MOST_DEEDS } from '../../../src/actions/journal.ts'

const start = Date.UTC(2026, 0, 2, 3, 4, 5)

function clocked() {
  let now = start
  const journal = createJournal(() => now)
  return { journal, pass: (ms: number) => void (now += ms) }
}

const deed = (what: string, ...command: string[]) => ({ what, engine: 'docker', command })

describe('the journal', () => {
  it('keeps what was done, when, how long it took, and what came of it', async () => {
    const { journal, pass } = clocked()
    const going = Promise.withResolvers<void>()
    const recorded = journal.record(deed('stopped web', 'docker', 'stop', 'web'), () => going.promise)
    expect(journal.entries()[0]).toMatchObject({ time: start, outcome: 'going on', took: null })
    pass(120)
    going.resolve()
    await recorded
    expect(journal.entries()[0]).toMatchObject({ number: 1, outcome: 'done', took: 120, fault: null })
  })

  it('keeps a failure and passes it on, and a cancellation as no failure', async () => {
    const { journal } = clocked()
    const failing = journal.record(deed('stopped web'), () => Promise.reject(new Error('no')))
    await expect(failing).rejects.toThrow('no')
    const left = journal.record(deed('stopped db'), () => Promise.reject(new DOMException('x', 'AbortError')))
    await expect(left).rejects.toThrow()
    expect(journal.entries().map(one => [one.outcome, one.fault?.message])).toEqual([
      ['failed', 'stopped web: no.'],
      ['cancelled', undefined],
    ])
  })

  it('forgets the oldest', async () => {
    const { journal } = clocked()
    for (let at = 0; at < MOST_DEEDS + 3; at++) await journal.record(deed(`${at}`), async () => {})
    expect(journal.entries()).toHaveLength(MOST_DEEDS)
    expect(journal.entries()[0].what).toBe('3')
  })

  it('is a shell script: what failed is not done again, and no name breaks out of its comment', async () => {
    const { journal } = clocked()
    await journal.record(deed('started it', 'printf', '%s\n', "it's", 'a\nb'), async () => {})
    const failing = journal.record(deed('renamed x\nexit 3 to y', 'exit', '4\nexit 5'), () =>
      Promise.reject(Error('no')),
    )
    await failing.catch(() => {})
    await journal.record(deed('said bye', 'echo', 'bye'), async () => {})
    const script = journalScript(journal.entries())
    expect(script).toBe(
      [
        '#!/bin/sh',
        '# 2026-01-02T03:04:05Z started it',
        `printf '%s`,
        `' 'it'\\''s' 'a`,
        `b'`,
        '# 2026-01-02T03:04:05Z renamed x exit 3 to y: failed',
        `# exit '4`,
        `# exit 5'`,
        '# 2026-01-02T03:04:05Z said bye',
        'echo bye',
        '',
      ].join('\n'),
    )
    expect(execFileSync('sh', ['-c', script]).toString()).toBe("it's\na\nb\nbye\n")
  })
})
