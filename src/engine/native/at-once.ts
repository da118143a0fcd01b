/** Several things done at the same time, not all: the first that fails ends the others. */

/** Results in the order of the items. @throws what the first that failed threw, when the others have ended too. */
export async function someAtOnce<T, R>(
  items: readonly T[],
  most: number,
  signal: AbortSignal | undefined,
  work: (item: T, signal: AbortSignal) => Promise<R>,
): Promise<R[]> {
  const stop = new AbortController()
  const either = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
  const results: R[] = []
  const left = [...items.entries()]
  const one = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift())
      results[next[0]] = await work(next[1], either)
  }
  const workers = Array.from({ length: Math.min(most, items.length) }, one)
  try {
    await Promise.all(workers)
  } catch (error) {
    stop.abort()
    left.length = 0
    await Promise.allSettled(workers)
    throw error
  }
  return results
}
