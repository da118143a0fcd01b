/** An image that stays in its registry, in the Explorer: which layers are read unasked, and what is said of the others. */
import { formatBytes, formatCount } from '../../base/sizes.ts'
import type { Stack } from '../../layer/stack.ts'
import type { Far } from '../../source/remote/far.ts'
import type { Image } from '../../source/types.ts'
import type { Theme } from '../theme.ts'
import type { Ui } from '../ui.ts'
import type { Part } from '../widgets/line.ts'
import type { LayerState } from './loading.ts'

/** An image of so many bytes is read without being asked for. */
const SMALL_IMAGE = 32 << 20
/** And so is a layer of a larger one. */
const SMALL_LAYER = 1 << 20

/** Which layers are read at once: known ones, those with a table of contents, and all where it is little in all. */
export function nearLayers(far: Far, count: number): boolean[] {
  const costs = Array.from({ length: count }, (_, layer) => far.cost(layer))
  const near = costs.map((cost, layer) => cost <= SMALL_LAYER || far.toc(layer) !== null)
  const rest = costs.reduce((sum, cost, layer) => sum + (near[layer] ? 0 : cost), 0)
  return rest <= SMALL_IMAGE ? near.map(() => true) : near
}

/** Bytes that reading the unread layers up to one would bring. */
export function unreadBytes(layers: readonly LayerState[], upTo: number): { layers: number; bytes: number } {
  const unread = layers.slice(0, upTo + 1).filter(isUnread)
  return { layers: unread.length, bytes: unread.reduce((sum, layer) => sum + (layer.total ?? 0), 0) }
}

export function isUnread({ phase }: LayerState): boolean {
  return phase === 'unread' || phase === 'cancelled'
}

/** What stands in the tree's place while layers below it have not been asked for. */
export function unreadLines(theme: Theme, layers: readonly LayerState[], upTo: number): Part[][] {
  const here = unreadBytes(layers, upTo)
  const all = unreadBytes(layers, layers.length - 1)
  const size = (bytes: number) => [theme.strong, formatBytes(bytes)] as const
  const more = all.layers > here.layers
  return [
    [
      [
        theme.strong,
        here.layers > upTo
          ? `Not read yet: ${count(here.layers)}`
          : `Not read yet: ${here.layers} of ${count(upTo + 1)}`,
      ],
      [theme.dim, ' up to this step'],
    ],
    [],
    [
      [theme.key, 'enter'],
      [theme.dim, ' reads '],
      ...(here.layers === 1 ? [] : [[theme.dim, 'them: '] as Part]),
      size(here.bytes),
    ],
    ...(more ? [[[theme.key, 'r'], [theme.dim, ' reads all: '], size(all.bytes)] as Part[]] : []),
    [],
    [[theme.dim, 'Steps, sizes, config and Dockerfile are here.']],
    [[theme.dim, 'What is read is not kept but for its index.']],
  ]
}

/** Bytes that a pull would bring for a layer; 0 when the native store has it. */
export function pullBytes({ far, layers }: Image, layer: number): number {
  const { compressed, roughBytes } = layers[layer]!
  return far?.here()[layer] === 'native' ? 0 : (compressed ?? roughBytes ?? 0)
}

/** For the end of the breadcrumb line: what looking brought so far, and what a pull would bring. */
export function farSummary(theme: Theme, image: Image, far: Far): (string | Part[])[] {
  const pull = image.layers.reduce((sum, { index }) => sum + pullBytes(image, index), 0)
  return [
    [[theme.accent, 'not pulled']],
    `${formatBytes(far.transferred())} read`,
    `a pull brings ${formatBytes(pull)}`,
  ]
}

/** What keeps the tree from being that of this step, in short. */
export function unreadNote(layers: readonly LayerState[], upTo: number): string {
  const { layers: number, bytes } = unreadBytes(layers, upTo)
  return `not read: ${count(number)}, ${formatBytes(bytes)}`
}

function count(number: number): string {
  return number === 1 ? '1 layer' : `${formatCount(number)} layers`
}

/** So much may come over the network for the sake of one file unasked. */
const UNASKED = 16 << 20

/** Goes on when a file may be read: at once, or when the person agrees to what has to come for it. */
export function whenMayCome(
  ui: Ui,
  { far }: Image,
  { stack, inode }: { stack: Stack; inode: number },
  goOn: () => void,
): void {
  const bytes = far?.contentCost(stack.layerOf(inode), stack.sizeOf(inode)) ?? 0
  if (bytes <= UNASKED) return goOn()
  const lines = ['The file is in a layer that is not here: it comes as far as the file, once.']
  void ui.confirm({ title: `Read up to ${formatBytes(bytes)}?`, lines, yes: 'read' }).then(yes => yes && goOn())
}
