/** Stands before a registry on the loopback address and counts the bytes of blobs that pass. */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface CountingProxy {
  /** `127.0.0.1:PORT` */
  address: string
  /** Bytes of blobs since the last call, and of how many answers. */
  counted(): { bytes: number; answers: number }
  /** From now on nothing is asked for in parts. */
  withoutParts(on: boolean): void
  stop(): Promise<void>
}

export async function countingProxy(target: string): Promise<CountingProxy> {
  let bytes = 0
  let answers = 0
  let parts = true

  const pass = (asked: IncomingMessage, answer: ServerResponse) => {
    const { range, ...headers } = asked.headers
    const on = request(
      `http://${target}${asked.url}`,
      { method: asked.method ?? 'GET', headers: { ...headers, ...(parts && range ? { range } : {}) } },
      reply => {
        const isBlob = asked.url?.includes('/blobs/') && asked.method === 'GET'
        if (isBlob) answers++
        answer.writeHead(reply.statusCode ?? 502, reply.headers)
        if (isBlob) reply.on('data', chunk => (bytes += chunk.length))
        reply.pipe(answer)
      },
    )
    on.on('error', () => answer.destroy())
    answer.on('close', () => on.destroy())
    asked.pipe(on)
  }
  const server = createServer(pass)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    counted() {
      const now = { bytes, answers }
      bytes = answers = 0
      return now
    },
    withoutParts(on) {
      parts = !on
    },
    stop() {
      server.closeAllConnections()
      return new Promise(resolve => server.close(() => resolve()))
    },
  }
}
