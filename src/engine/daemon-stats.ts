/**
 * What a container uses, a sample a second, counted as `docker stats` and `podman stats` count it.
 * Docker: docker/cli, cli/command/container/stats_helpers.go. Podman is asked by its own call: what it says through
 * Docker's comes every 5 s, with a time of the system that is none and without block devices of the new cgroups.
 */
import * as z from 'zod'
import { asFault } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import type { Client } from './client.ts'
import type { Stats } from './containers.ts'
import { containerPath } from './daemon-actions.ts'
import { jsonLines } from './daemon-lines.ts'
import { lenient, most, nested, text } from './fields.ts'

/** Samples until the signal, or until the container does not run. Throws a Fault when the connection is lost. */
export async function* containerStats(
  client: Client,
  id: string,
  { signal }: { signal: AbortSignal },
): AsyncGenerator<Stats> {
  // Left early, the stream has to go at once: Podman would go on for ever.
  const left = new AbortController()
  const both = AbortSignal.any([signal, left.signal])
  const name = containerPath(id)
  try {
    const stream =
      client.kind === 'podman'
        ? await client.stream('/libpod/containers/stats', {
            query: { containers: name, stream: true, interval: 1 },
            signal: both,
          })
        : await client.stream(`/containers/${name}/stats`, { query: { stream: 1 }, signal: both })
    const read = client.kind === 'podman' ? podmanSamples() : dockerSample
    for await (const value of jsonLines(stream)) {
      const sample = read(value)
      if (sample === null) return
      yield sample
    }
  } catch (error) {
    if (signal.aborted) return
    throw asFault(error, `${safe(client.endpoint.name)} stopped measuring ${name}`)
  } finally {
    left.abort()
  }
}

/** One sample of Docker's; null when the container does not run. */
export function dockerSample(value: unknown): Stats | null {
  const { read, cpu_stats: now, precpu_stats: before, memory_stats: memory, ...rest } = lenient(dockerItem, value)
  const time = Date.parse(read)
  if (!(time > 0)) return null
  const networks = Object.values(rest.networks)
    .slice(0, most.items)
    .map(one => lenient(network, one))
  return {
    time,
    cpuPercent: before.system_cpu_usage > 0 ? cpuPercent(now, before) : null,
    memory: withoutCache(memory.usage, memory.stats),
    memoryLimit: memory.limit > 0 ? memory.limit : null,
    netReceived: sum(networks.map(one => one.rx_bytes)),
    netSent: sum(networks.map(one => one.tx_bytes)),
    blockRead: transferred(rest.blkio_stats, 'r'),
    blockWritten: transferred(rest.blkio_stats, 'w'),
    pids: rest.pids_stats.current,
  }
}

/** Reads one Podman sample after the other; the first one's CPU is a mean of the container's whole life. */
export function podmanSamples(): (value: unknown) => Stats | null {
  let before: z.infer<typeof podmanItem> | null = null
  return value => {
    const { Stats: list } = lenient(podmanAnswer, value)
    const now = lenient(podmanItem, list[0])
    if (now.SystemNano === 0) return null
    const elapsed = before === null ? 0 : now.SystemNano - before.SystemNano
    const used = before === null ? 0 : now.CPUNano - before.CPUNano
    before = now
    const networks = Object.values(now.Network).map(one => lenient(podmanNetwork, one))
    return {
      time: now.SystemNano / 1e6,
      cpuPercent: elapsed > 0 ? Math.max(0, (used / elapsed) * 100) : null,
      memory: now.MemUsage,
      memoryLimit: now.MemLimit > 0 ? now.MemLimit : null,
      netReceived: now.NetInput + sum(networks.map(one => one.RxBytes)),
      netSent: now.NetOutput + sum(networks.map(one => one.TxBytes)),
      blockRead: now.BlockInput,
      blockWritten: now.BlockOutput,
      pids: now.PIDs,
    }
  }
}

const amount = z.number().nonnegative().catch(0)
const object = z.record(z.string(), z.unknown()).catch({})

const cpu = z.object({
  cpu_usage: z
    .object({ total_usage: amount, percpu_usage: z.array(z.unknown()).catch([]) })
    .catch({ total_usage: 0, percpu_usage: [] }),
  system_cpu_usage: amount,
  online_cpus: amount,
})

const network = z.object({ rx_bytes: amount, tx_bytes: amount })

const blockItem = z.object({ op: text, value: amount })

const dockerItem = z.object({
  read: text,
  cpu_stats: nested(cpu),
  precpu_stats: nested(cpu),
  memory_stats: z.object({ usage: amount, limit: amount, stats: object }).catch({ usage: 0, limit: 0, stats: {} }),
  networks: object,
  blkio_stats: z
    .object({ io_service_bytes_recursive: z.array(z.unknown()).catch([]) })
    .catch({ io_service_bytes_recursive: [] }),
  pids_stats: z.object({ current: amount }).catch({ current: 0 }),
})

const podmanAnswer = z.object({ Stats: z.array(z.unknown()).catch([]) })

const podmanNetwork = z.object({ RxBytes: amount, TxBytes: amount })

/** Until version 4 the networks are summed up, since 5 they are told one by one. */
const podmanItem = z.object({
  CPUNano: amount,
  SystemNano: amount,
  MemUsage: amount,
  MemLimit: amount,
  NetInput: amount,
  NetOutput: amount,
  Network: object,
  BlockInput: amount,
  BlockOutput: amount,
  PIDs: amount,
})

function cpuPercent(now: z.infer<typeof cpu>, before: z.infer<typeof cpu>): number {
  const used = now.cpu_usage.total_usage - before.cpu_usage.total_usage
  const elapsed = now.system_cpu_usage - before.system_cpu_usage
  const cores = now.online_cpus || now.cpu_usage.percpu_usage.length
  return used > 0 && elapsed > 0 ? (used / elapsed) * cores * 100 : 0
}

/** Of the page cache the inactive part counts as free: `total_inactive_file` of cgroups v1, `inactive_file` of v2. */
function withoutCache(usage: number, stats: Record<string, unknown>): number {
  const inactive = [stats.total_inactive_file, stats.inactive_file]
  const free = inactive.find(one => typeof one === 'number' && one >= 0 && one < usage)
  return usage - ((free as number | undefined) ?? 0)
}

function transferred(blocks: { io_service_bytes_recursive: unknown[] }, way: 'r' | 'w'): number {
  return sum(
    blocks.io_service_bytes_recursive
      .slice(0, most.items)
      .map(one => lenient(blockItem, one))
      .filter(({ op }) => op.toLowerCase().startsWith(way))
      .map(({ value }) => value),
  )
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}
