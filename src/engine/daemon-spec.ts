/** What a person wishes of a new container, as the body of `POST /containers/create`. The rules are those of `docker run`. */
import { Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import type { ContainerSpec, MountSpec } from './containers.ts'
import { healthBody, rightsBody } from './daemon-rights.ts'

/** The body. Throws a Fault (exit code 2) that names the field which makes no sense. */
export function createBody(spec: ContainerSpec): Record<string, unknown> {
  const { exposed, bindings } = portsOf(spec.publish ?? [])
  const { binds, anonymous } = volumesOf(spec.volumes ?? [])
  const openStdin = spec.openStdin ?? false
  return {
    Image: spec.image,
    ...(spec.command && { Cmd: spec.command }),
    ...(spec.entrypoint && { Entrypoint: spec.entrypoint.length > 0 ? spec.entrypoint : [''] }),
    Env: spec.env ?? [],
    Labels: spec.labels ?? {},
    WorkingDir: spec.workingDir ?? '',
    User: spec.user ?? '',
    Hostname: spec.hostname ?? '',
    Tty: spec.tty ?? false,
    OpenStdin: openStdin,
    StdinOnce: spec.stdinOnce ?? (openStdin && !spec.tty),
    AttachStdin: openStdin,
    AttachStdout: true,
    AttachStderr: true,
    ExposedPorts: exposed,
    Volumes: anonymous,
    ...(spec.health !== undefined && { Healthcheck: healthBody(spec.health) }),
    ...(spec.stopSignal !== undefined && { StopSignal: spec.stopSignal }),
    ...(spec.stopTimeout !== undefined && { StopTimeout: spec.stopTimeout }),
    ...(spec.network !== undefined &&
      spec.networkAliases?.length && {
        NetworkingConfig: { EndpointsConfig: { [spec.network]: { Aliases: spec.networkAliases } } },
      }),
    HostConfig: {
      AutoRemove: spec.remove ?? false,
      ReadonlyRootfs: spec.readOnly ?? false,
      ...(spec.network !== undefined && { NetworkMode: spec.network }),
      ...(spec.dns?.length && { Dns: spec.dns }),
      ...(spec.dnsSearch?.length && { DnsSearch: spec.dnsSearch }),
      ...(spec.dnsOptions?.length && { DnsOptions: spec.dnsOptions }),
      ...(spec.addHosts?.length && { ExtraHosts: spec.addHosts }),
      Binds: binds,
      Tmpfs: tmpfsOf(spec.tmpfs ?? []),
      ...(spec.mounts?.length && { Mounts: spec.mounts.map(mountOf) }),
      ...(spec.volumesFrom?.length && { VolumesFrom: spec.volumesFrom }),
      PortBindings: bindings,
      ...(spec.memory !== undefined && { Memory: positive('memory', spec.memory) }),
      ...(spec.cpus !== undefined && { NanoCpus: Math.round(positive('number of cores', spec.cpus) * 1e9) }),
      ...(spec.pidsLimit !== undefined && { PidsLimit: spec.pidsLimit }),
      RestartPolicy: restartOf(spec.restart ?? 'no'),
      ...rightsBody(spec),
    },
  }
}

export interface Ports {
  exposed: Record<string, object>
  bindings: Record<string, { HostIp: string; HostPort: string }[]>
}

/** `[[IP:][HOST]:]CONTAINER[/PROTOCOL]`, each port a number or a range of the same length; an address of IPv6 in brackets. */
export function portsOf(publish: readonly string[]): Ports {
  const ports: Ports = { exposed: {}, bindings: {} }
  for (const wish of publish) {
    const parts = /^(?:(?:(\[[\da-f:.]+\]|[\d.]+):)?([\d-]*):)?([\d-]+)(?:\/(tcp|udp|sctp))?$/i.exec(wish)
    if (!parts) throw wrong('port', wish, 'A port is published as 8080:80, 127.0.0.1:8080:80 or 5353:53/udp.')
    const [, address = '', host = '', inside = '', protocol = 'tcp'] = parts
    const [first, last] = rangeOf(inside, wish)
    const [hostFirst, hostLast] = host === '' ? [0, 0] : rangeOf(host, wish)
    if (host !== '' && last - first !== hostLast - hostFirst && first !== last)
      throw wrong('port', wish, 'Both ranges of ports must be of the same length.')
    for (let at = first; at <= last; at++) {
      const name = `${at}/${protocol.toLowerCase()}`
      // One port for a range of the engine's: it takes a free one of them.
      const hostPort = host === '' ? '' : first === last ? host : String(hostFirst + at - first)
      ports.exposed[name] = {}
      ports.bindings[name] ??= []
      ports.bindings[name].push({ HostIp: address.replace(/^\[|\]$/g, ''), HostPort: hostPort })
    }
  }
  return ports
}

function rangeOf(text: string, wish: string): [number, number] {
  const [, first = '', last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? []
  const range: [number, number] = [Number(first), Number(last)]
  if (range[0] >= 1 && range[1] >= range[0] && range[1] <= 65535) return range
  throw wrong('port', wish, 'Ports are numbers from 1 to 65535.')
}

/** A path alone is a volume without a name. */
function volumesOf(volumes: readonly string[]): { binds: string[]; anonymous: Record<string, object> } {
  const binds: string[] = []
  const anonymous: Record<string, object> = {}
  for (const wish of volumes) {
    const parts = wish.split(':')
    const [source = '', destination = ''] = parts.length === 1 ? ['', wish] : parts
    if (!destination.startsWith('/') || parts.length > 3)
      throw wrong(
        'volume',
        wish,
        'A volume is mounted as /on/this/machine:/inside, NAME:/inside, with :ro when only read.',
      )
    if (parts.length === 1) anonymous[destination] = {}
    else if (source.startsWith('/') || /^[a-z\d][\w.-]*$/i.test(source)) binds.push(wish)
    else throw wrong('volume', wish, 'Its first part is an absolute path or the name of a volume.')
  }
  return { binds, anonymous }
}

function mountOf({ type, source, target, readOnly, bind, volume, tmpfs }: MountSpec): object {
  return {
    Type: type,
    Source: source,
    Target: target,
    ReadOnly: readOnly,
    ...(bind && { BindOptions: { Propagation: bind.propagation ?? '', NonRecursive: bind.nonRecursive ?? false } }),
    ...(volume && {
      VolumeOptions: {
        NoCopy: volume.noCopy ?? false,
        Labels: volume.labels ?? {},
        ...((volume.driver || volume.options) && {
          DriverConfig: { Name: volume.driver ?? '', Options: volume.options ?? {} },
        }),
      },
    }),
    ...(tmpfs && { TmpfsOptions: { SizeBytes: tmpfs.size ?? 0, ...(tmpfs.mode && { Mode: tmpfs.mode }) } }),
  }
}

/** `/run`, `/run:size=64m,mode=1777` */
function tmpfsOf(tmpfs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    tmpfs.map(wish => {
      const at = wish.indexOf(':')
      const path = at < 0 ? wish : wish.slice(0, at)
      if (!path.startsWith('/')) throw wrong('tmpfs', wish, 'A tmpfs is mounted as /inside or /inside:size=64m.')
      return [path, at < 0 ? '' : wish.slice(at + 1)]
    }),
  )
}

function restartOf(wish: string): { Name: string; MaximumRetryCount?: number } {
  const [, name = '', tries] = /^(no|always|unless-stopped|on-failure)(?::(\d{1,9}))?$/.exec(wish) ?? []
  if (name === '' || (tries !== undefined && name !== 'on-failure'))
    throw wrong('restart policy', wish, 'It is no, always, unless-stopped, on-failure or on-failure:5.')
  return { Name: name, ...(tries !== undefined && { MaximumRetryCount: Number(tries) }) }
}

function positive(what: string, value: number): number {
  if (Number.isFinite(value) && value > 0) return value
  throw new Fault(`A ${what} of ${value} is not possible.`, { exitCode: 2 })
}

function wrong(what: string, wish: string, hint: string): Fault {
  return new Fault(`“${safe(wish.slice(0, 200))}” is no ${what}.`, { hint, exitCode: 2 })
}
