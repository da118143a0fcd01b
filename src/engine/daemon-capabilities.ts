/** What the containers of a daemon can do. Most of it is known at once; what only a slow call tells is corrected later. */
import * as z from 'zod'
import type { Client } from './client.ts'
import type { ContainerCapabilities } from './containers.ts'
import { flag, lenient, text } from './fields.ts'

/**
 * The capabilities, and `learn`, which asks Podman once, behind everything else, whether it can freeze and measure:
 * without root it can not on the old cgroups. The object is changed then.
 */
export function containerCapabilities(client: Client): { capabilities: ContainerCapabilities; learn(): void } {
  const capabilities: ContainerCapabilities = {
    pause: true,
    stats: true,
    commit: true,
    local: isLocal(client),
    ports: true,
    volumes: true,
    restartPolicies: true,
    networks: 'any',
  }
  let asked = client.kind === 'docker'
  const learn = () => {
    if (asked) return
    asked = true
    client.get('/info', cgroupShape).then(
      ({ limited }) => Object.assign(capabilities, { pause: !limited, stats: !limited }),
      () => {
        asked = false
      },
    )
  }
  return { capabilities, learn }
}

/** A socket of this machine, unless a virtual machine stands behind it. */
function isLocal({ endpoint: { address, name } }: Client): boolean {
  const virtual = /desktop|machine|colima|orbstack/
  return address.kind === 'unix' && process.platform === 'linux' && !virtual.test(name) && !virtual.test(address.path)
}

const cgroupShape = z
  .unknown()
  .transform(raw => lenient(cgroupItem, raw))
  .transform(({ Rootless, SecurityOptions, CgroupVersion }) => ({
    limited: CgroupVersion === '1' && (Rootless || SecurityOptions.some(one => /^name=rootless/.test(String(one)))),
  }))

const cgroupItem = z.object({ Rootless: flag, CgroupVersion: text, SecurityOptions: z.array(z.unknown()).catch([]) })
