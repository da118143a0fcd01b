/**
 * What registries are reached with, out of the person's surroundings: names and passwords where `docker login` and `podman
 * login` keep them, authorities of `certs.d`, a proxy. Files are read when they are asked for, and again for each registry.
 */
import { findCertificates } from './certificates.ts'
import { findCredentials } from './credentials.ts'
import { type RegistryAccess, usualLimits } from './types.ts'

/** What of the machine and of the person's environment decides. */
export interface Surroundings {
  env: Readonly<Record<string, string | undefined>>
  home: string
  /** Put before `/etc`, so that a test finds its own. */
  root?: string | undefined
}

export interface AccessFlags {
  /** `--tls-verify=false`: TLS is not verified, and a registry on loopback may be without it. */
  tlsVerify?: boolean
  /** Told why it takes longer. */
  tell?: ((sentence: string) => void) | undefined
}

export function registryAccess(around: Surroundings, { tlsVerify = true, tell }: AccessFlags = {}): RegistryAccess {
  return {
    credentials: (host, repository) => findCredentials(around, host, repository),
    certificates: host => findCertificates(around, host),
    tlsVerify,
    userAgent: 'strata',
    proxy: around.env,
    limits: usualLimits,
    tell,
  }
}
