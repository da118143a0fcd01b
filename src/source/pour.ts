/**
 * The plain bytes of a compressed layer, one behind the other, inflated on a thread. Both sides share a gate: how many
 * bytes are on their way. The thread stands still in front of it, so that a bomb takes no memory.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { type Control, cancelled } from './cancel.ts'
import { createInflate } from './inflate.ts'
import type { Job } from './jobs.ts'
import type { Pool } from './pool.ts'
import { type Region, readInto } from './region.ts'
import type { Compression } from './sniff.ts'

export interface Poured {
  region: Region
  compression: Compression
  /** Of the layer, for errors. */
  name: string
}

/** So many bytes may be on their way. */
const AHEAD = 4 << 20
/** What the gate holds once nobody wants the rest. */
const SHUT = -1

/** @throws Fault when the layer is broken or truncated. */
export async function* poured(
  { region, compression, name }: Poured,
  pool: Pool,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (region.ready) await region.ready(region.size, signal)
  const { port1, port2 } = new MessageChannel()
  const gate = new Int32Array(new SharedArrayBuffer(4))
  const arrived = inbox(port1)
  const { fd, start, size } = region
  const job = { kind: 'pour', name, region: { fd, start, size }, compression, port: port2, gate: gate.buffer } as const
  const running = pool.run(job, { signal, transfer: [port2], weight: size * 10 })
  // What has been poured comes before the end of it; of a thread that died comes nothing.
  running.catch(arrived.close)
  try {
    for (let chunk = await arrived.next(); chunk !== null; chunk = await arrived.next()) {
      yield chunk
      Atomics.sub(gate, 0, chunk.length)
      Atomics.notify(gate, 0)
    }
    await running
  } finally {
    Atomics.store(gate, 0, SHUT)
    Atomics.notify(gate, 0)
    await running.catch(() => {})
    port1.close()
  }
}

/** The thread's side. */
export async function pour(
  { region, compression, name, port, gate: shared }: Extract<Job, { kind: 'pour' }>,
  control: Control,
): Promise<void> {
  const gate = new Int32Array(shared)
  const inflate = createInflate(
    compression,
    chunk => {
      control.check()
      enter(gate, chunk.length)
      const own = chunk.slice()
      port.postMessage(own, [own.buffer])
    },
    { name },
  )
  const packed = new Uint8Array(new ArrayBuffer(256 << 10))
  try {
    for (let at = 0; at < region.size; ) {
      const got = readInto(region, at, packed)
      if (got === 0) break
      await inflate.push(packed.subarray(0, got))
      at += got
    }
    await inflate.end()
  } finally {
    inflate.close()
    port.postMessage(null)
    port.close()
  }
}

/** Waits until there is room, and takes it. @throws when nobody wants the rest. */
function enter(gate: Int32Array, bytes: number): void {
  for (;;) {
    const now = Atomics.load(gate, 0)
    if (now === SHUT) throw cancelled()
    if (now > AHEAD) Atomics.wait(gate, 0, now)
    else if (Atomics.compareExchange(gate, 0, now, now + bytes) === now) return
  }
}

/** What a port receives, to be waited for. null: there is no more. */
function inbox(port: MessagePort) {
  const arrived: (Uint8Array | null)[] = []
  let wake = () => {}
  const add = (chunk: Uint8Array | null) => {
    arrived.push(chunk)
    wake()
  }
  port.on('message', add)
  return {
    close: () => add(null),
    async next(): Promise<Uint8Array | null> {
      if (arrived.length === 0) {
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
      return arrived.shift() ?? null
    },
  }
}
