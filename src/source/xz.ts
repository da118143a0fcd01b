/** xz streams, by way of xz-decompress (WebAssembly), loaded with the first: few archives are xz; what counts is that they open. */
import type { Inflate, Sink } from './inflate.ts'

export function unxz(sink: Sink): Inflate {
  let feed: ReadableStreamDefaultController<Uint8Array> | null = null
  let wantMore: () => void = () => {}
  let hungry = new Promise<void>(resolve => {
    wantMore = resolve
  })
  let ended = false
  let garbage = 0
  const source = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        feed = controller
      },
      pull: () => wantMore(),
    },
    { highWaterMark: 0 },
  )
  const loaded = import('xz-decompress').then(({ default: xz }) => new xz.XzReadableStream(source).getReader())
  const done = drain()
  done.catch(() => {})

  async function drain(): Promise<void> {
    const reader = await loaded
    for (;;) {
      const { done, value } = await reader.read().catch(error => Promise.reject(explain(error)))
      if (done) break
      if (value.length > 0) sink(value)
    }
    ended = true
  }

  return {
    async push(chunk) {
      await Promise.race([hungry, done])
      if (ended) garbage += chunk.length
      if (ended || chunk.length === 0) return
      hungry = new Promise(resolve => {
        wantMore = resolve
      })
      feed!.enqueue(chunk.slice())
      await Promise.race([hungry, done])
    },
    async end() {
      if (!ended) feed!.close()
      await done
    },
    close() {
      ended = true
      // Without this the package's one decoder would stay taken for ever.
      loaded.then(reader => reader.cancel()).catch(() => {})
    },
    get garbage() {
      return garbage
    },
  }
}

/** The package tells only numbers of xz-embedded's xz_ret. Out of input it fails with 8, or on input that is null. */
function explain(error: unknown): Error {
  const text = String(error)
  if (/code 8$|null/.test(text)) return new Error('it is truncated')
  if (/code [34]$/.test(text)) return new Error('it wants more memory than there is for it')
  return new Error('its data is corrupt', { cause: error })
}
