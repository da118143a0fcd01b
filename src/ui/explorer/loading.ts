/**
 * Brings the layers of an image into a stack while the screen is in use: all indexes are asked for at once, laid on top
 * of each other in order, in slices. A layer that is broken brings what could be read of it and says so; the rest goes on.
 */
import { Fault, isAbort, reasonOf } from '../../base/errors.ts'
import { IndexBuilder } from '../../layer/index-builder.ts'
import type { LayerIndex } from '../../layer/layer-index.ts'
import { Stack } from '../../layer/stack.ts'
import type { BrokenLayer, Image } from '../../source/types.ts'
import { nearLayers } from './far.ts'
import { realSlicer, runSliced, type Slicer } from './slices.ts'

export interface LayerState {
  /** `unread`: it would have to come from far, and nobody has asked for it. */
  phase: 'waiting' | 'reading' | 'read' | 'done' | 'broken' | 'cancelled' | 'unread'
  /** Bytes read so far, and in all where that is known. */
  done: number
  total: number | null
  /** Bytes of its files, known once it is indexed. */
  stored: number | null
  /** How much bigger the file system of the stack gets with it, bytes; known once it is laid. May be below zero. */
  adds: number | null
  /** What is wrong with it, a sentence. */
  error: string | null
}

export interface Loading {
  /** Another one after each `relay`: what was made of this one stays good. */
  readonly stack: Stack
  readonly layers: LayerState[]
  /** How many layers lie in the stack. */
  laid(): number
  /** Whether nothing more comes. */
  over(): boolean
  /**
   * Lays the layer that is alive on the others again, as it is now. Only once all lie there. Gives what nodes of before
   * are now (-1: nothing), where they are not the same any more.
   */
  relay(index: LayerIndex): ((node: number) => number) | null
  /** Stops reading; what lies in the stack stays. */
  cancel(): void
}

export interface LoadingOptions {
  /** Something is different: a layer read or laid, an error. */
  changed(): void
  /** More bytes have been read; comes often. */
  progressed(): void
  slicer?: Slicer
  /** The topmost layer that is asked for; without it all, but of an image that is far away those that cost little. */
  upTo?: number | undefined
}

/** So many paths that came and went are not worth making the tree of paths anew. */
const FORGOTTEN = 20_000

/** Starts to read layers. */
export function load(image: Image, { changed, progressed, slicer = realSlicer, upTo }: LoadingOptions): Loading {
  const near = image.far ? nearLayers(image.far, image.layers.length) : null
  const isWanted = (layer: number) => near === null || near[layer] || layer <= (upTo ?? -1)
  let stack = new Stack()
  const abort = new AbortController()
  const indexes: (LayerIndex | null)[] = image.layers.map(() => null)
  const layers = image.layers.map(
    (info): LayerState => ({
      phase: isWanted(info.index) ? 'waiting' : 'unread',
      done: 0,
      total: info.roughBytes,
      stored: null,
      adds: null,
      error: null,
    }),
  )
  let laid = 0
  let laying = false
  const live = image.live?.number ?? -1
  let belowLive = 0
  let belowNodes = 0

  const layNext = () => {
    const index = indexes[laid]
    if (laying || !index || abort.signal.aborted) return
    if (laid === live) return layLive(index)
    laying = true
    const before = stack.visible
    runSliced(
      stack.pushSlices(index),
      () => {
        const state = layers[laid]!
        state.adds = stack.visible - before
        if (state.phase === 'read') state.phase = 'done'
        indexes[laid++] = null
        laying = false
        changed()
        layNext()
      },
      {
        slicer,
        failed: error => {
          layers[laid]!.error = `The layer can not be laid on the others: ${reasonOf(error)}.`
          layers[laid]!.phase = 'broken'
          abort.abort()
          changed()
        },
      },
    )
  }

  /** Small, and to be replaced: laid at once. */
  const layLive = (index: LayerIndex) => {
    belowLive = stack.visible
    belowNodes = stack.tree.nodes
    layers[live]!.phase = 'done'
    laid++
    indexes[live] = null
    // It may have changed while the layers below were read.
    relay(image.live?.take() ?? index)
    changed()
  }
  const relay = (index: LayerIndex) => {
    const { tree } = stack
    const most = belowNodes + 2 * index.nodes + FORGOTTEN
    const forget = tree.nodes > most
    stack = stack.withLive(index, forget ? belowNodes : undefined)
    layers[live]!.stored = index.stored
    layers[live]!.adds = stack.visible - belowLive
    if (!forget) return null
    const now = stack.tree
    return (node: number) => (node < belowNodes ? node : now.find(tree.path(node)))
  }

  const read = async (layer: number) => {
    const state = layers[layer]!
    const onProgress = ({ done, total }: { done: number; total: number | null }) => {
      state.phase = 'reading'
      state.done = done
      state.total = total ?? state.total
      progressed()
    }
    try {
      indexes[layer] = await image.indexLayer(layer, { signal: abort.signal, onProgress })
      state.phase = 'read'
    } catch (error) {
      if (isAbort(error) || abort.signal.aborted) return
      state.phase = 'broken'
      state.error = error instanceof Fault ? error.message : `The layer can not be read: ${reasonOf(error)}.`
      indexes[layer] =
        (error as BrokenLayer).partial ?? new IndexBuilder({ layer }).finish({ tarBytes: 0, diffId: null })
    }
    if (abort.signal.aborted) return
    state.stored = indexes[layer]!.stored
    state.done = state.total ?? state.done
    changed()
    layNext()
  }

  // Not before whoever asked has what is returned here: reading may report at once.
  void Promise.resolve().then(() =>
    layers.forEach((_, layer) => {
      if (isWanted(layer)) void read(layer)
    }),
  )
  /** Nothing more comes: all that was asked for is read, and the first that was not keeps the rest from being laid. */
  const isOver = () => laid === layers.length || (layers[laid]!.phase === 'unread' && !layers.some(isComing))
  return {
    get stack() {
      return stack
    },
    layers,
    laid: () => laid,
    over: () => abort.signal.aborted || isOver(),
    relay,
    cancel() {
      abort.abort()
      for (const state of layers) if (state.adds === null && state.phase !== 'broken') state.phase = 'cancelled'
      changed()
    },
  }
}

function isComing({ phase }: LayerState): boolean {
  return phase === 'waiting' || phase === 'reading'
}
