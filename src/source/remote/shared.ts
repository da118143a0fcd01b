/** Work that several ask for and one does. */
import { Fault, isAbort } from '../../base/errors.ts'
import type { Work } from '../../base/progress.ts'
import { cancelled } from '../cancel.ts'

/**
 * The same work for all who ask for one number while it is under way, and its result from then on. When the one who began
 * gives up, another begins anew; a failure is not kept.
 */
export function sharedByNumber<T>(make: (number: number, work: Work) => Promise<T>): {
  get(number: number, work?: Work): Promise<T>
  known(number: number): T | undefined
} {
  const results: (T | undefined)[] = []
  const running: (Promise<T> | undefined)[] = []

  async function get(number: number, work: Work = {}): Promise<T> {
    for (;;) {
      if (work.signal?.aborted) throw cancelled()
      const known = results[number]
      if (known !== undefined) return known
      const other = running[number]
      if (other === undefined) break
      try {
        return await other
      } catch (error) {
        if (!isCancelled(error)) throw error
      }
    }
    const mine = make(number, work)
    running[number] = mine
    try {
      return (results[number] = await mine)
    } finally {
      running[number] = undefined
    }
  }
  return { get, known: number => results[number] }
}

export function isCancelled(error: unknown): boolean {
  return isAbort(error) || (error instanceof Fault && error.exitCode === 130)
}
