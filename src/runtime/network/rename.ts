/** A container that is renamed is called by its new name on its network from its next start on. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

/** In the bundle's config.json; one that has no network of ours is left alone. */
export function renameOnNetwork(bundle: string, from: string, to: string): void {
  const path = join(bundle, 'config.json')
  if (!existsSync(path)) return
  const config = JSON.parse(readFileSync(path, 'utf8'))
  const network = config.strata?.network
  if (!Array.isArray(network?.names)) return
  const renamed = (names: string[]) => names.map(name => (name === from ? to : name))
  config.strata.network = { ...network, own: renamed(network.own ?? []), names: renamed(network.names) }
  const fresh = `${path}.${process.pid}`
  writeFileSync(fresh, JSON.stringify(config), { mode: 0o600 })
  renameSync(fresh, path)
}
