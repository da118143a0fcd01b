/** Other things that nobody needs at run time: repositories, byte code, caches of bundlers. */
import { formatBytes } from '../base/sizes.ts'
import type { Advice } from './advise.ts'
import { type Context, filesText, stepName, stepsOfLayers } from './context.ts'
import { findPlaces, nameOf, sumBelow } from './places.ts'

const leftovers = [
  {
    rule: 'git-directory',
    what: 'A Git repository',
    places: ['.git'],
    only: null,
    fix: 'Write .git into .dockerignore.',
  },
  {
    rule: 'python-bytecode',
    what: 'Byte code of Python',
    places: ['__pycache__'],
    only: /\.py[co]$/,
    fix: 'pip install --no-compile … and ENV PYTHONDONTWRITEBYTECODE=1; Python makes it again when it runs.',
  },
  {
    rule: 'node-cache',
    what: 'A cache of Node’s build tools',
    places: ['node_modules/.cache'],
    only: null,
    fix: 'Append to the step that builds: && rm -rf node_modules/.cache',
  },
]

/** One advice for each kind, from the layers above the base. */
export function leftoverAdvice(context: Context): Advice[] {
  const { stack, current, baseLayers } = context
  const found = findPlaces(
    context,
    leftovers.flatMap(kind => kind.places),
  )
  return leftovers.flatMap(({ rule, what, places, only, fix }) => {
    const roots = places.flatMap(place => found.get(place) ?? [])
    const sum = sumBelow(
      context,
      roots,
      node => stack.layerOf(current[node]!) >= baseLayers && (only === null || only.test(nameOf(context, node))),
    )
    if (sum.bytes === 0) return []
    const layers = sum.layers()
    return {
      rule,
      title: `${what} is left in the image: ${formatBytes(sum.bytes)} in ${filesText(sum.files)}, most of it from ${stepName(context, sum.mainLayer())}.`,
      bytes: sum.bytes,
      layers,
      fix,
      steps: stepsOfLayers(context, layers),
      paths: sum.paths(context),
      files: sum.files,
    }
  })
}
