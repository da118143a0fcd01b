/** Connections to an engine, of every kind behind one HTTP agent: unix socket, TCP, TLS, ssh. */
import { Agent, type AgentOptions } from 'node:http'
import { connect as connectNet, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { Fault } from '../base/errors.ts'
import { type Address, formatAddress } from './address.ts'
import { connectSsh } from './ssh.ts'

export interface ConnectionOptions {
  /** Milliseconds until a connection must stand. */
  connectTimeout: number
  /** Whether ssh may ask on the terminal. */
  mayAsk: boolean
  env: Readonly<Record<string, string | undefined>>
}

/**
 * An agent whose connections all go to one engine, whatever a request names as its host. Idle connections are used
 * again and do not keep the program from ending; `destroy` closes them all, those in use too.
 */
export function engineAgent(address: Address, options: ConnectionOptions): Agent {
  return new EngineAgent(address, options, { keepAlive: true, maxFreeSockets: 4, scheduling: 'lifo' })
}

class EngineAgent extends Agent {
  readonly address: Address
  readonly connection: ConnectionOptions
  readonly open = new Set<Duplex>()

  constructor(address: Address, connection: ConnectionOptions, options: AgentOptions) {
    super(options)
    this.address = address
    this.connection = connection
  }

  override createConnection(): Duplex {
    const stream = connectTo(this.address, this.connection)
    this.open.add(stream)
    stream.once('close', () => this.open.delete(stream))
    return stream
  }

  override destroy(): void {
    super.destroy()
    for (const stream of this.open) stream.destroy()
  }
}

function connectTo(address: Address, options: ConnectionOptions): Duplex {
  if (address.kind === 'ssh') {
    const timeout = Math.ceil(options.connectTimeout / 1000)
    return connectSsh(address, { timeout, mayAsk: options.mayAsk, env: options.env })
  }
  if (address.kind === 'unix') return timed(connectNet({ path: address.path }), 'connect', address, options)
  const { host, port, tls } = address
  if (tls === null) return timed(connectNet({ host, port }), 'connect', address, options)
  const { ca, cert, key, verify } = tls
  const socket = connectTls({
    host,
    port,
    ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    rejectUnauthorized: verify,
  })
  return timed(socket, 'secureConnect', address, options)
}

/** A peer that neither answers nor refuses is given up after the time. */
function timed(socket: Socket, ready: string, address: Address, { connectTimeout }: ConnectionOptions): Socket {
  const timer = setTimeout(() => {
    socket.destroy(new Fault(`${formatAddress(address)}: no connection within ${connectTimeout / 1000} s.`))
  }, connectTimeout)
  socket.once(ready, () => clearTimeout(timer))
  socket.once('close', () => clearTimeout(timer))
  return socket
}
