/** How far a file is that one thread writes and another one reads: numbers in memory that both see, and a bell. */

export interface Growth {
  /** Two numbers: bytes that are there, and whether more will come. */
  shared: SharedArrayBuffer
  state(): { bytes: number; end: 'whole' | 'broken' | null }
  /** So many bytes are there now. */
  grow(bytes: number): void
  /** No more will come: it is whole, or (false) it never will be. */
  end(whole: boolean): void
}

const ends = [null, 'whole', 'broken'] as const

/** `bell` is rung whenever something has changed. The thread that reads has the same two of the one that writes. */
export function growthOf(bell: Int32Array, shared: SharedArrayBuffer = new SharedArrayBuffer(16)): Growth {
  const numbers = new BigInt64Array(shared)
  const set = (which: 0 | 1, value: number) => {
    Atomics.store(numbers, which, BigInt(value))
    ring(bell)
  }
  return {
    shared,
    state() {
      // In this order: what is there when no more will come is all there is.
      const end = ends[Number(Atomics.load(numbers, 1))] ?? null
      return { bytes: Number(Atomics.load(numbers, 0)), end }
    },
    grow: bytes => set(0, bytes),
    end: whole => set(1, whole ? 1 : 2),
  }
}

export function ring(bell: Int32Array): void {
  Atomics.add(bell, 0, 1)
  Atomics.notify(bell, 0)
}
