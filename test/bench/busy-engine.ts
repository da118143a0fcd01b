/**
 * A daemon that is none, in a process of its own: so many containers that use the processor and talk, at whatever rate
 * is wanted, and that counts what it is asked. `startBusyEngine` starts it; run by itself it serves.
 */
import { fork } from 'node:child_process'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { fileURLToPath } from 'node:url'

export interface BusyEngine {
  /** What was asked since the last call, as `GET /path`. */
  asked(): Promise<string[]>
  /** Lines a second that every log gets from now on. */
  say(linesPerSecond: number): void
  /** So many lines in every log that is followed, at once. */
  burst(lines: number): void
  close(): Promise<void>
}

type Wish = { asked: true } | { say: number } | { burst: number }

export async function startBusyEngine(socket: string, containers: number): Promise<BusyEngine> {
  const child = fork(fileURLToPath(import.meta.url), [socket, String(containers)], { execArgv: [] })
  const answer = () => new Promise<string[]>(resolve => child.once('message', said => resolve(said as string[])))
  await answer()
  return {
    asked() {
      const told = answer()
      child.send({ asked: true })
      return told
    },
    say: rate => void child.send({ say: rate }),
    burst: lines => void child.send({ burst: lines }),
    async close() {
      const ended = new Promise(resolve => child.once('exit', resolve))
      child.kill()
      await ended
    },
  }
}

interface Log {
  response: ServerResponse
  said: number
}

function serve(socket: string, count: number): void {
  const started = new Date(Date.now() - 3_600_000).toISOString()
  const logs = new Set<Log>()
  let asked: string[] = []
  let rate = 0
  let owed = 0
  const containers = Array.from({ length: count }, (_, at) => ({
    Id: String(at + 1).padStart(64, '0'),
    Names: [`/web-${String(at).padStart(2, '0')}`],
    Image: 'busybox:latest',
    ImageID: `sha256:${'1'.repeat(64)}`,
    Command: 'node server.js',
    Created: Math.floor(Date.now() / 1000) - 3600 - at,
    State: 'running',
    Status: 'Up 1 hour',
  }))
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '', 'http://x')
    const path = url.pathname.replace(/^\/v\d+\.\d+/, '')
    asked.push(`${request.method} ${path}`)
    response.setHeader('Api-Version', '1.51').setHeader('Server', 'Docker/99.1 (linux)')
    const id = /^\/containers\/([^/]+)\/(json|stats|logs)$/.exec(path)
    if (path === '/_ping') response.end('OK')
    else if (path === '/containers/json') response.end(JSON.stringify(containers))
    else if (path === '/images/json') response.end('[]')
    else if (path === '/events') response.flushHeaders()
    else if (id?.[2] === 'json') response.end(JSON.stringify(inspected(containers, id[1]!, started)))
    else if (id?.[2] === 'stats') sample(response)
    else if (id?.[2] === 'logs') {
      response.flushHeaders()
      const log = { response, said: 0 }
      say(log, Math.min(200, Number(url.searchParams.get('tail')) || 0))
      logs.add(log)
      response.on('close', () => logs.delete(log))
    } else response.writeHead(404).end('{"message":"not here"}')
  }
  setInterval(() => {
    owed += rate / 20
    const lines = Math.floor(owed)
    owed -= lines
    if (lines > 0) for (const log of logs) say(log, lines)
  }, 50)
  process.on('message', (wish: Wish) => {
    if ('say' in wish) rate = wish.say
    else if ('burst' in wish) for (const log of logs) say(log, wish.burst)
    else {
      process.send?.(asked)
      asked = []
    }
  })
  process.on('disconnect', () => process.exit())
  createServer(answer).listen(socket, () => process.send?.([]))
}

function inspected(containers: { Id: string; Names: string[] }[], id: string, started: string) {
  const row = containers.find(one => one.Id === id) ?? containers[0]!
  return {
    Id: row.Id,
    Name: row.Names[0],
    State: { Status: 'running', Running: true, Pid: 4242, StartedAt: started },
    Config: { Image: 'busybox:latest', Cmd: ['node', 'server.js'], Env: [] },
    HostConfig: { LogConfig: { Type: 'json-file' } },
    SizeRw: 18_400_000,
  }
}

/** Every second, of a load that goes up and down. */
function sample(response: ServerResponse): void {
  let cpu = 0
  let system = 0
  let before = { cpu_usage: { total_usage: 0 }, system_cpu_usage: 0, online_cpus: 2 }
  let step = Math.random() * 10
  const tell = () => {
    step += Math.random()
    cpu += (0.3 + 0.3 * Math.sin(step)) * 1e9
    system += 2e9
    const now = { cpu_usage: { total_usage: cpu }, system_cpu_usage: system, online_cpus: 2 }
    const usage = 80e6 + Math.floor(Math.random() * 4e6)
    const value = {
      read: new Date().toISOString(),
      cpu_stats: now,
      precpu_stats: before,
      memory_stats: { usage, limit: 5e8 },
    }
    before = now
    response.write(`${JSON.stringify(value)}\n`)
  }
  tell()
  const timer = setInterval(tell, 1000)
  response.on('close', () => clearInterval(timer))
}

/** Lines as a server says them: every third one in colour, every fifth one JSON. */
function say(log: Log, lines: number): void {
  const frames: Buffer[] = []
  const second = new Date().toISOString().slice(0, 20)
  const milliseconds = String(Date.now() % 1000).padStart(3, '0')
  for (let at = 0; at < lines; at++) {
    const number = log.said++
    const text = number % 5 === 4 ? json(number) : number % 3 === 0 ? coloured(number) : plain(number)
    const time = `${second}${milliseconds}${String(number % 1_000_000).padStart(6, '0')}Z`
    const body = Buffer.from(`${time} ${text}\n`)
    const head = Buffer.alloc(8)
    head[0] = number % 17 === 0 ? 2 : 1
    head.writeUInt32BE(body.length, 4)
    frames.push(head, body)
  }
  log.response.write(Buffer.concat(frames))
}

const plain = (number: number) => `line ${number} GET /api/things/${number % 977} 200 ${number % 83} ms agent=bench`
const coloured = (number: number) =>
  `\x1b[32mINFO\x1b[0m line ${number} \x1b[2mrequest\x1b[0m /api/\x1b[36m${number}\x1b[0m`
const json = (number: number) =>
  JSON.stringify({ level: 'info', time: 1.7e12 + number, msg: `line ${number}`, path: `/api/${number}`, status: 200 })

if (process.argv[1] === fileURLToPath(import.meta.url)) serve(process.argv[2]!, Number(process.argv[3]))
