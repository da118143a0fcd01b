/**
 * An opened image in the Explorer: its layers on their way into the stack, the step that is looked at, and what follows
 * from both: the scene of the tabs, the sentences of the step, the advice, the names of owners.
 */
import { type Advice, advise } from '../../advice/advise.ts'
import { shortCommand } from '../../image/command.ts'
import type { Step } from '../../image/types.ts'
import type { Image } from '../../source/types.ts'
import type { StepRow } from '../panes/layers-pane.ts'
import { type ListState, moveTo } from '../widgets/list.ts'
import { CONTENT_BYTES, compareContents, FAR_BYTES, openBytes } from './contents.ts'
import { isUnread } from './far.ts'
import { createLiveWorld, followLive } from './live.ts'
import { type Loading, load } from './loading.ts'
import { noOwners } from './owners.ts'
import { readOwners } from './read-owners.ts'
import { makeScene, type Scene } from './scene.ts'
import { realSlicer, type Slicer } from './slices.ts'
import { restAfterLaying, spentOnLaying } from './spent-memory.ts'
import { countOdd, stepRows } from './step-rows.ts'
import { stepStory } from './step-story.ts'
import { type Look, latest } from './tab.ts'

/** The marked range of layers; `to: null`: it ends where the cursor is. */
export interface Range {
  from: number
  to: number | null
}

export interface Session {
  readonly image: Image
  readonly look: Look
  loading(): Loading
  /** Reads what was cancelled or not asked for yet: all of it, or up to a layer. */
  readOn(upTo?: number): void
  /** The rows of the Layers pane. */
  rows(): readonly StepRow[]
  list(): ListState
  /** The step under the cursor. */
  step(): Step
  select(row: number, height: number): void
  selectStep(step: number, height: number): void
  hideEmpty(): boolean
  setHideEmpty(hide: boolean): void
  range(): Range | null
  setRange(range: Range | null): void
  /** The topmost layer as of the step under the cursor, at least 0. */
  layerHere(): number
  /** What is really looked at: the range that is marked, or the layer of the step; null for a step without one. */
  looked(): { from: number; to: number } | null
  commandOf(layer: number): string
  /** Sentences on the step under the cursor; null while they are being written. */
  story(): readonly string[] | null
  advice(): readonly Advice[]
  /** How much is odd in the image and the layers laid so far, and whether any digest is not what it should be. */
  oddities(): { odd: number; forged: boolean }
  /** Whether layers up to the step under the cursor wait to be asked for. */
  unreadHere(): boolean
  /** Bytes that would have to be read to say which contents differ, where that is too much to be done unasked. */
  uncompared(): number
  compareAll(): void
  close(): void
}

export interface SessionOptions {
  /** Something that is drawn is different. */
  changed(): void
  /** What the tabs look at is different. */
  looked(): void
  /** What is kept by node is to be kept by another one: -1 where the path is forgotten. */
  renumbered(now: (node: number) => number): void
  /** Work in the background went wrong. */
  failed(error: unknown): void
  /** Milliseconds since 1970. */
  now(): number
  slicer?: Slicer
}

/** While layers come in, the tree is made anew so often at most, milliseconds. */
const PACE = 120

/** Scenes are kept as long as they do not hold more nodes than this together: some 20 bytes each. */
const SCENE_NODES = 2_500_000

export function createSession(image: Image, options: SessionOptions): Session {
  const { changed, slicer = realSlicer } = options
  const stepOfLayer = new Map(image.steps.flatMap(step => (step.layer === null ? [] : [[step.layer, step.index]])))
  const closed = new AbortController()
  const storyWork = latest({ slicer, changed, failed: options.failed })
  let loading: Loading = load(image, { changed: () => arrived(), progressed: () => progressed(), slicer })
  let hideEmpty = false
  let range: Range | null = null
  let list: ListState = { cursor: 0, top: 0 }
  let rows: StepRow[] = []
  let scenes: { key: string; scene: Scene }[] = []
  let sceneAt = 0
  let comparing = new AbortController()
  let story: { scene: Scene; sentences: string[] } | null = null
  let advice: Advice[] | null = null
  let uncompared = 0
  let progressAt = Number.NEGATIVE_INFINITY
  let odd: { laid: number; odd: number; forged: boolean } | null = null

  const look: Look = {
    image,
    get stack() {
      return loading.stack
    },
    world: {
      owners: noOwners,
      stepOf: layer => stepOfLayer.get(layer) ?? layer + 1,
      layerOfStep: step => image.steps[step - 1]?.layer ?? null,
    },
    step: 0,
    scene: null,
    sort: 'name',
    onlyChanges: false,
    filter: null,
    changed,
    failed: options.failed,
    slicer,
  }

  const makeRows = () => {
    rows = stepRows(image, () => loading, hideEmpty)
  }
  const step = () => image.steps[(rows[list.cursor]?.step ?? 1) - 1] ?? noStep

  /** The topmost layer as of the step under the cursor; -1 below the first. */
  const layerAsOf = () => {
    for (let at = step().index - 1; at >= 0; at--) if (image.steps[at]!.layer !== null) return image.steps[at]!.layer!
    return -1
  }

  const looked = () => {
    if (range) {
      const to = range.to ?? Math.max(0, layerAsOf())
      return { from: Math.min(range.from, to), to: Math.max(range.from, to) }
    }
    const { layer } = step()
    return layer === null ? null : { from: layer, to: layer }
  }

  const liveAt = (layer: number) => (layer === image.live?.number ? (look.world.live ?? null) : null)

  /** Makes the scene that the step asks for, as far as its layers lie in the stack. */
  const rescene = () => {
    look.step = step().index
    const marked = looked()
    const wanted = marked ? marked.to : layerAsOf()
    const to = Math.min(wanted, loading.laid() - 1)
    const complete = to === wanted
    if (to < 0 && !complete) {
      look.scene = null
      return options.looked()
    }
    const from = complete && marked ? marked.from : to + 1
    const key = `${from} ${to}`
    const known = scenes.find(one => one.key === key)
    if (known && known.scene === look.scene) return options.looked()
    sceneAt = slicer.now()
    const scene =
      known?.scene ?? makeScene(loading.stack, from, to, { marked: complete && marked !== null, live: liveAt(to) })
    if (!known) scenes = [{ key, scene }, ...scenes].slice(0, Math.max(2, Math.floor(SCENE_NODES / scene.nodes)))
    look.scene = scene
    comparing.abort()
    compare(scene, CONTENT_BYTES)
    tellStory(scene)
    owners.read(scene)
    options.looked()
  }

  /** Progress is shown now and then: it comes with every block that is read. */
  const progressed = () => {
    if (slicer.now() - progressAt < PACE) return
    progressAt = slicer.now()
    changed()
  }

  /** Another layer is read or lies in the stack. */
  const arrived = () => {
    const to = look.scene?.to ?? -1
    const wanted = looked()?.to ?? layerAsOf()
    const laid = loading.laid() - 1
    const due = laid >= wanted || loading.over() || slicer.now() - sceneAt > PACE
    if (to < wanted && laid > to && due) rescene()
    if (loading.laid() === image.layers.length && advice === null) slicer.later(finish)
    changed()
  }

  /** All layers are there: what looks at the whole image can be said now. */
  const finish = () => {
    if (closed.signal.aborted || advice !== null || loading.laid() < image.layers.length) return
    // The first look of a live layer leaves as much behind as one laying.
    if (image.live) spentOnLaying(image.live.layer.count())
    advice = []
    try {
      advice = advise({ steps: image.steps, config: image.config, stack: loading.stack })
    } catch (error) {
      options.failed(error)
    }
    if (look.scene) tellStory(look.scene)
    options.looked()
    changed()
  }

  const compare = (scene: Scene, most: number) => {
    uncompared = 0
    // What is alive tells by itself what differs.
    if (scene.to === image.live?.number) return
    const unknown = scene.changes?.unknown ?? []
    const bytes = openBytes(loading.stack, unknown, image.far)
    uncompared = bytes > (image.far ? Math.min(most, FAR_BYTES) : most) ? bytes : 0
    if (unknown.length === 0 || uncompared > 0) return
    comparing = new AbortController()
    const { signal } = comparing
    compareContents(image, loading.stack, unknown, signal).then(
      () => {
        if (signal.aborted || closed.signal.aborted) return
        scenes = []
        look.scene = look.scene === scene ? null : look.scene
        rescene()
      },
      () => {
        if (signal.aborted || closed.signal.aborted) return
        uncompared = bytes
        tellStory(scene)
      },
    )
  }

  const tellStory = (scene: Scene) => {
    story = null
    storyWork.drop()
    // The tree comes first: the sentences are written once it is on the screen.
    slicer.later(() => {
      if (look.scene !== scene || closed.signal.aborted) return
      storyWork.run(stepStory(scene, { stepOf: look.world.stepOf, uncompared }), sentences => {
        story = { scene, sentences }
      })
    })
  }

  const owners = readOwners(image, {
    signal: closed.signal,
    found(names) {
      Object.assign(look.world, { owners: names })
      if (look.filter) options.looked()
      changed()
    },
  })
  const world = look.world
  if (image.live) {
    world.live = createLiveWorld(image.live, {
      get stack() {
        return loading.stack
      },
      now: options.now,
      stepOf: layer => world.stepOf(layer),
    })
  }

  /** The layer on top is not what it was: scenes with it are made anew, the one of a lower step stays. */
  const relaid = () => {
    const { live } = image
    if (!live || closed.signal.aborted || loading.laid() < image.layers.length) return
    const renumbered = loading.relay(live.take())
    if (renumbered) options.renumbered(renumbered)
    // Each holds the stack that it was made of.
    scenes = scenes.filter(one => one.scene === look.scene && one.scene.to < live.number)
    odd = null
    if (look.scene?.to === live.number) {
      look.scene = null
      rescene()
    }
    spentOnLaying(live.layer.count())
    changed()
  }
  const unfollow = image.live
    ? followLive(image.live, { update: relaid, tick: changed, now: options.now, rest: restAfterLaying })
    : () => {}

  makeRows()
  const last = rows.findLastIndex(row => row.layer !== null)
  list = { cursor: Math.max(0, last), top: 0 }
  look.step = step().index
  if (image.layers.length === 0) rescene()

  return {
    image,
    look,
    loading: () => loading,
    readOn(upTo = image.layers.length) {
      loading = load(image, { changed: () => arrived(), progressed: () => progressed(), slicer, upTo })
      scenes = []
      look.scene = null
      advice = null
      owners.forget()
      changed()
    },
    rows: () => rows,
    list: () => list,
    step,
    select(row, height) {
      list = moveTo(list, row, rows.length, height)
      if (look.step !== step().index) rescene()
    },
    selectStep(index, height) {
      let row = rows.findIndex(one => one.step === index)
      if (row < 0)
        row = Math.max(
          0,
          rows.findLastIndex(one => one.step <= index),
        )
      list = moveTo(list, row, rows.length, height)
      rescene()
    },
    hideEmpty: () => hideEmpty,
    setHideEmpty(hide) {
      const { index } = step()
      hideEmpty = hide
      makeRows()
      const row = rows.findLastIndex(one => one.step <= index)
      list = moveTo(list, Math.max(0, row), rows.length, rows.length)
      if (look.step !== step().index) rescene()
    },
    range: () => range,
    setRange(next) {
      range = next
      rescene()
    },
    layerHere: () => Math.max(0, layerAsOf()),
    looked,
    commandOf: layer => {
      const made = image.steps[look.world.stepOf(layer) - 1]
      return made ? shortCommand(made.createdBy, made.comment) : ''
    },
    story: () => (story && story.scene === look.scene ? story.sentences : null),
    advice: () => advice ?? [],
    oddities() {
      const laid = loading.laid()
      if (odd?.laid !== laid) odd = { laid, ...countOdd(image, loading) }
      return odd
    },
    unreadHere: () => loading.over() && loading.layers.slice(0, layerAsOf() + 1).some(isUnread),
    uncompared: () => uncompared,
    compareAll() {
      if (look.scene) compare(look.scene, Number.POSITIVE_INFINITY)
    },
    close() {
      closed.abort()
      unfollow()
      comparing.abort()
      storyWork.drop()
      loading.cancel()
    },
  }
}

/** What stands for a step in an image that has none. */
const noStep: Step = {
  index: 0,
  layer: null,
  imageId: null,
  created: null,
  createdBy: null,
  comment: null,
  author: null,
  emptyLayer: true,
}
