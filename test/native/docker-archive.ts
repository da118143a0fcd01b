/** The layers of a docker archive, bottom first. */
import { execFileSync } from 'node:child_process'

export function layersOf(archive: string): Uint8Array[] {
  const member = (name: string) => execFileSync('tar', ['-xOf', archive, name], { maxBuffer: 1 << 28 })
  const [{ Layers }] = JSON.parse(member('manifest.json').toString()) as [{ Layers: string[] }]
  return Layers.map(member)
}
