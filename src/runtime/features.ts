/** What the native runtime can do on this machine, for this user. */
import * as z from 'zod'
import { Fault } from '../base/errors.ts'
import { helperLines } from './helper.ts'

const shape = z.object({
  kernel: z.string(),
  machine: z.string(),
  root: z.boolean(),
  /** false: an ordinary user can run nothing here; `userNamespacesWhyNot` says why, and what mends it where something does. */
  userNamespaces: z.boolean(),
  userNamespacesWhyNot: z.string().nullable(),
  /** false: files of a container can have one owner only. */
  subIds: z.boolean(),
  uids: z.number(),
  gids: z.number(),
  newuidmap: z.string().nullable(),
  newgidmap: z.string().nullable(),
  mounts: z.boolean(),
  mountErrno: z.number(),
  overlay: z.object({
    mounts: z.boolean(),
    lowerPlus: z.boolean(),
    lowerByDescriptor: z.boolean(),
    whiteouts: z.boolean(),
  }),
  cgroups: z.enum(['unified', 'hybrid', 'v1', 'none']),
  /** What makes rules of the firewall for the bridge: nft, or iptables where that one's drops what it does not know. */
  rules: z.enum(['nft', 'iptables']).nullable(),
  seccomp: z.boolean(),
  pidfd: z.boolean(),
  clone3: z.boolean(),
  closeRange: z.boolean(),
  openat2: z.boolean(),
})

export type Features = z.infer<typeof shape>

/** Asks the helper, which tries each thing. Throws a Fault where the helper is missing. */
export async function features(signal?: AbortSignal): Promise<Features> {
  for await (const line of helperLines(['features'], { signal })) return shape.parse(line)
  throw new Fault('The native runtime said nothing about this machine.')
}
