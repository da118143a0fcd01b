/** The base image's share of the size, where a smaller variant of the same base exists. */
import { formatBytes, formatPercent } from '../base/sizes.ts'
import { safe } from '../base/text.ts'
import { parseInstruction } from '../image/instruction.ts'
import type { Advice } from './advise.ts'
import { type Context, Sum, stepsOfLayers } from './context.ts'
import { findPlaces, sumBelow } from './places.ts'

/** Official images whose full variant stands on buildpack-deps, by the variable that each sets; `-slim` does not. */
const languages = [
  ['NODE_VERSION', 'node'],
  ['PYTHON_VERSION', 'python'],
  ['RUBY_VERSION', 'ruby'],
  ['RUST_VERSION', 'rust'],
  ['PERL_VERSION', 'perl'],
] as const

/** What a slim Debian leaves out. */
const slimWithout = ['/usr/share/doc', '/usr/share/man', '/usr/share/info', '/usr/share/locale', '/usr/share/groff']

/** At most one advice; it counts only what the slim variant of the very same base is known to leave out. */
export function baseAdvice(context: Context): Advice[] {
  const { stack, baseLayers } = context
  const layerCount = Math.max(baseLayers, 1)
  const found = findPlaces(context, ['/etc/debian_version', '/etc/alpine-release', '/etc/lsb-release', ...slimWithout])
  if (!found.has('/etc/debian_version') || found.has('/etc/alpine-release') || stack.layers.length < 2) return []

  let visible = 0
  const byLayer = visibleByLayer(context)
  for (let layer = 0; layer < layerCount; layer++) visible += byLayer[layer]!
  if (visible < 0.6 * stack.visible) return []

  const docs = sumBelow(
    context,
    slimWithout.flatMap(place => found.get(place) ?? []),
    node => stack.layerOf(context.current[node]!) === 0,
  )
  const language = languageOf(context)
  const packs = language ? buildpackLayers(context, layerCount) : []
  const sum = new Sum()
  for (const layer of packs) sum.add(0, byLayer[layer]!, layer)
  const bytes = docs.bytes + sum.bytes
  if (bytes < 0.05 * stack.visible) return []
  const smaller = language ?? (found.has('/etc/lsb-release') ? null : 'debian:…-slim')
  if (smaller === null) return []
  const layers = Array.from({ length: layerCount }, (_, layer) => layer)
  return [
    {
      rule: 'base-image',
      title: `The base image is ${formatBytes(visible)} of ${formatBytes(stack.visible)} (${formatPercent(visible / stack.visible)}).`,
      bytes,
      layers,
      fix: `FROM ${smaller} leaves out ${packs.length > 0 ? 'compilers, headers and documentation' : 'documentation and translations'}; an alpine or distroless base is smaller still.`,
      steps: stepsOfLayers(context, layers),
      paths: docs.paths(context),
      files: docs.files,
    },
  ]
}

function visibleByLayer({ stack }: Context): Float64Array {
  const bytes = Float64Array.from(stack.layers, layer => layer.stored)
  for (const row of stack.waste) bytes[row.storedIn]! -= row.bytes
  return bytes
}

/** `node:24.1-slim`; null when the base is none of these, or is slim already. */
function languageOf({ config }: Context): string | null {
  for (const [variable, name] of languages) {
    const version = config.run.env.find(line => line.startsWith(`${variable}=`))?.slice(variable.length + 1)
    if (version && /^[\w.+-]{1,40}$/.test(version)) return safe(`${name}:${version}-slim`)
  }
  return null
}

/** The layers of the base above its rootfs that install packages before the language comes: buildpack-deps. */
function buildpackLayers({ steps, config }: Context, layerCount: number): number[] {
  const variables = languages
    .map(([variable]) => variable)
    .filter(one => config.run.env.some(line => line.startsWith(`${one}=`)))
  const layers: number[] = []
  for (const step of steps) {
    const { keyword, text } = parseInstruction(step.createdBy, step.comment)
    if (keyword === 'ENV' && variables.some(variable => text.includes(`${variable}=`))) return layers
    if (step.layer === null || step.layer === 0 || step.layer >= layerCount) continue
    if (keyword === 'RUN' && /\bapt-get install\b/.test(text)) layers.push(step.layer)
  }
  return []
}
