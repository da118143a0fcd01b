/** Files that a later layer deletes or overwrites: they are stored and shipped all the same. */
import { formatBytes } from '../base/sizes.ts'
import type { WasteRow } from '../layer/stack.ts'
import type { Advice } from './advise.ts'
import { type Context, filesText, instructionOf, Sum, stepName, stepsOfLayers, stepWords } from './context.ts'

/** One advice for each pair of layers. `explained`, by reference: stored again with the same content. */
export function lostLaterAdvice(context: Context, explained: Uint8Array): Advice[] {
  const groups = new Map<number, { rule: Rule; row: WasteRow; sum: Sum }>()
  const layers = context.stack.layers.length
  for (const row of context.stack.waste) {
    if (explained[row.ref] === 1) continue
    const rule = ruleOf(row)
    const key = (rules.indexOf(rule) * layers + row.storedIn) * layers + row.lostIn
    let group = groups.get(key)
    if (!group) groups.set(key, (group = { rule, row, sum: new Sum() }))
    group.sum.add(row.node, row.bytes, row.storedIn)
  }
  return [...groups.values()].map(({ rule, row: { storedIn, lostIn }, sum }) => {
    const layers = storedIn === lostIn ? [storedIn] : [storedIn, lostIn]
    return {
      rule,
      title: titleOf(context, rule, storedIn, lostIn, sum),
      bytes: sum.bytes,
      layers,
      fix: fixOf(context, rule, storedIn, lostIn),
      steps: stepsOfLayers(context, layers),
      paths: sum.paths(context),
      files: sum.files,
    }
  })
}

const rules = ['deleted-later', 'overwritten-later', 'stored-twice'] as const
type Rule = (typeof rules)[number]

function ruleOf({ cause }: WasteRow): Rule {
  if (cause === 'shadowed') return 'stored-twice'
  return cause === 'overwritten' ? 'overwritten-later' : 'deleted-later'
}

function titleOf(context: Context, rule: Rule, storedIn: number, lostIn: number, sum: Sum): string {
  const what = `${formatBytes(sum.bytes)} in ${filesText(sum.files)}`
  const stored = stepName(context, storedIn)
  if (rule === 'stored-twice') return `The layer of ${stored} holds ${what} under names that it stores again itself.`
  const verb = rule === 'deleted-later' ? 'deleted' : 'overwritten'
  return `${what} of ${stored} ${sum.files === 1 ? 'is' : 'are'} ${verb} by ${stepWords(context, lostIn)} and still ${sum.files === 1 ? 'ships' : 'ship'}.`
}

function fixOf(context: Context, rule: Rule, storedIn: number, lostIn: number): string {
  const [stored, lost] = [stepName(context, storedIn), stepName(context, lostIn)]
  if (rule === 'stored-twice') return 'Write each path once into the layer.'
  if (storedIn < context.baseLayers && lostIn >= context.baseLayers) {
    if (rule === 'deleted-later') return 'They come with the base image: only a smaller base saves them.'
    return 'They come with the base image: a newer base that has them already saves them (docker build --pull).'
  }
  const [origin, end] = [instructionOf(context, storedIn).keyword, instructionOf(context, lostIn).keyword]
  if (origin === 'RUN' && end === 'RUN') {
    const order =
      rule === 'deleted-later' ? 'so that they are gone before the layer is stored' : 'so that they are stored once'
    return `Join ${stored} and ${lost} into one RUN (… && …), ${order}.`
  }
  if (origin === 'COPY' || origin === 'ADD') {
    if (rule === 'overwritten-later') return `Leave them out of ${stored}: name them in .dockerignore.`
    return 'Do not copy them: the RUN that needs them can read them from the build context with --mount=type=bind; or name them in .dockerignore.'
  }
  return `Do what ${stored} and ${lost} do in one step, or in a build stage of which only the result is copied.`
}
