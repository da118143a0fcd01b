/** /etc/hosts, /etc/hostname and /etc/resolv.conf of a container: files of its folder, mounted over the image's and never written into a layer. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ContainerFolder } from './record.ts'

export interface NetworkFile {
  source: string
  destination: string
}

/** Writes the three and says where they go. */
export function writeNetworkFiles(folder: ContainerFolder, hostname: string, network: 'none' | 'host'): NetworkFile[] {
  const contents = {
    hosts: network === 'host' ? fromHost('/etc/hosts', loopback) : loopback,
    hostname: `${hostname}\n`,
    'resolv.conf': fromHost('/etc/resolv.conf', ''),
  }
  return Object.entries(contents).map(([name, text]) => {
    const source = join(folder.path, name)
    writeFileSync(source, text, { mode: 0o644 })
    return { source, destination: `/etc/${name}` }
  })
}

/** As Docker writes it for a container without a network. */
const loopback = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
ff00::0\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`

function fromHost(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8').slice(0, 65_536)
  } catch {
    return otherwise
  }
}
