/**
 * What was done through the screens: each deed with its time, its outcome, and the command line that would have done the
 * same. Bounded: of more than that the oldest are forgotten.
 */
import { asFault, type Fault, isAbort } from '../base/errors.ts'
import { shellLine } from '../base/shell-words.ts'

export interface JournalEntry {
  /** Counts from 1. */
  number: number
  /** Milliseconds since 1970. */
  time: number
  /** What was done, in words: `stopped web`. Foreign text in it is not harmless yet. */
  what: string
  engine: string
  /** The same by hand, as words. */
  command: readonly string[]
  /** Milliseconds that it took; null while it goes on. */
  took: number | null
  outcome: 'going on' | 'done' | 'cancelled' | 'failed'
  /** Why it failed. */
  fault: Fault | null
}

export interface Deeded {
  what: string
  engine: string
  command: readonly string[]
}

export interface Journal {
  /** Does it, and keeps what came of it; gives and throws what `run` does. */
  record<T>(deed: Deeded, run: () => Promise<T>): Promise<T>
  /** Oldest first. A new array whenever something of it changes. */
  entries(): readonly JournalEntry[]
  subscribe(listener: () => void): () => void
}

/** Deeds that are remembered. */
export const MOST_DEEDS = 500

/** `now` in milliseconds since 1970. */
export function createJournal(now: () => number): Journal {
  const listeners = new Set<() => void>()
  let entries: readonly JournalEntry[] = []
  let count = 0
  const set = (next: readonly JournalEntry[]) => {
    entries = next
    for (const listener of listeners) listener()
  }
  return {
    async record({ what, engine, command }, run) {
      const number = ++count
      const time = now()
      const begun = { number, time, what, engine, command, took: null, outcome: 'going on', fault: null } as const
      set([...entries, begun].slice(-MOST_DEEDS))
      const ended = (outcome: JournalEntry['outcome'], fault: Fault | null) => {
        const took = Math.max(0, now() - time)
        set(entries.map(one => (one.number === number ? { ...one, took, outcome, fault } : one)))
      }
      try {
        const result = await run()
        ended('done', null)
        return result
      } catch (error) {
        ended(isAbort(error) ? 'cancelled' : 'failed', isAbort(error) ? null : asFault(error, what))
        throw error
      }
    },
    entries: () => entries,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** The deeds as a shell script: one command a line, those that failed as comments. Times are of this machine's own clock. */
export function journalScript(entries: readonly JournalEntry[]): string {
  const lines = entries.map(({ time, what, command, outcome }) => {
    const said = oneLine(`${new Date(time).toISOString().slice(0, 19)}Z ${what}`)
    const line = shellLine(command)
    // A comment ends with its line, and a word may hold a line end.
    return outcome === 'failed' || outcome === 'cancelled'
      ? `# ${said}: ${outcome}\n${line.replace(/^/gm, '# ')}`
      : `# ${said}\n${line}`
  })
  return ['#!/bin/sh', ...lines, ''].join('\n')
}

function oneLine(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, ' ')
}
