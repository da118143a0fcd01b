/**
 * The live layer on the screen: when it is laid on the stack again, and what is said of its paths besides what every layer
 * says. Drawn anew when something changes, and now and then while rates fade; never when nothing happens.
 */
import { formatBytes, formatCount } from '../../base/sizes.ts'
import { safeBytes } from '../../base/text.ts'
import { Kind } from '../../layer/entry.ts'
import type { Stack } from '../../layer/stack.ts'
import { hotDirectories } from '../../live/hot.ts'
import type { CopyUps } from '../../live/live-layer.ts'
import type { LiveView } from '../../live/live-view.ts'

/** What the panes ask of a layer that is alive. */
export interface LiveWorld {
  readonly view: LiveView
  now(): number
  /** Bytes a second that a path, or everything below a directory, is being written with. */
  rate(node: number): number
  /** Bytes that a path, or everything below a directory, has more than when it was opened. */
  growth(node: number): number
  /** How new a change is: 2 just now, 1 a moment ago, 0 not. `below`: anything in the directory too. */
  glow(node: number, below: boolean): 0 | 1 | 2
  /** `copied up from step 3`, where it is more than the reasons say; '' for nothing. */
  note(node: number): string
}

/** Milliseconds for which a frame's rates stay good. */
const FRAME = 100
/** Milliseconds in which what has changed stands out, much and then a little. */
const GLOW = [700, 3500] as const

export function createLiveWorld(
  view: LiveView,
  look: { stack: Stack; now(): number; stepOf(layer: number): number },
): LiveWorld {
  let rates = new Map<number, number>()
  let madeAt = Number.NEGATIVE_INFINITY
  const refresh = () => {
    const now = look.now()
    if (now - madeAt < FRAME) return
    madeAt = now
    rates = new Map()
    const { tree } = look.stack
    for (const path of view.layer.warm(now)) {
      const rate = view.layer.rate(path, now)
      for (let node = tree.find(path.path); node >= 0; node = node === 0 ? -1 : tree.parent[node]!) {
        rates.set(node, (rates.get(node) ?? 0) + rate)
      }
    }
  }
  return {
    view,
    now: look.now,
    rate(node) {
      refresh()
      return rates.get(node) ?? 0
    },
    growth: node => view.layer.growth(look.stack.tree.path(node)),
    glow(node, below) {
      const at = view.layer.changedAt(look.stack.tree.path(node), below)
      const age = at === null ? Number.POSITIVE_INFINITY : look.now() - at
      return age < GLOW[0] ? 2 : age < GLOW[1] ? 1 : 0
    },
    note(node) {
      const path = view.layer.path(look.stack.tree.path(node))
      if (path?.op !== 'C' || path.lower === null || path.kind !== Kind.file) return ''
      const from = `copied up from step ${look.stepOf(path.lower)}`
      const copied = path.lowerSize ?? 0
      const written = path.reasons.includes('content') || path.reasons.includes('time')
      if (copied === 0) return from
      if (!written) return `${from}, ${formatBytes(copied)} for that`
      return path.total > 0 ? `${from}, ${formatBytes(copied)} for ${formatBytes(path.total)} written` : from
    },
  }
}

/** The sentences of the live layer's section. */
export function liveStory({ view, now }: LiveWorld): string[] {
  const { layer } = view
  const at = now()
  const rate = layer.totalRate(at)
  const every = view.every()
  const count = layer.count()
  const lines = [
    count === 0
      ? 'Nothing is changed yet.'
      : `${formatCount(count)} ${count === 1 ? 'change' : 'changes'}, ${formatBytes(layer.bytes())}${rate > 0 ? `, growing by ${formatBytes(rate)}/s` : ''}.`,
    ...(every === null ? [] : [`Polled every ${Math.max(1, Math.round(every / 1000))} s.`]),
  ]
  // Of what is written to only: this is said in every frame.
  const [hot] = rate > 0 ? hotDirectories(layer, view.container, at, layer.warm(at)) : []
  const text = (path: string) => safeBytes(Buffer.from(path, 'latin1'))
  if (hot && hot.rate > 0) lines.push(`/${text(hot.path)} takes ${formatBytes(hot.rate)}/s: ${text(hot.option)}`)
  return [...lines, ...copyUpStory(layer.copyUps())]
}

/** What copying up has cost for nothing but mode, owner or attributes, where it is worth a sentence. */
function copyUpStory({ idleFiles, idleBytes }: CopyUps): string[] {
  if (idleBytes < 1_000_000) return []
  const files = `${formatCount(idleFiles)} ${idleFiles === 1 ? 'file' : 'files'}`
  return [`${formatBytes(idleBytes)} copied up for the mode or owner of ${files}.`]
}

export interface Follow {
  /** Lays the layer on the stack again. */
  update(): void
  /** Only what is drawn is different. */
  tick(): void
  now(): number
  /** Nothing changes any more, for now. */
  rest(): void
}

/** Frames a second for a layer that changes all the time, at most. */
const LEAST = 50
/** Laying it anew may take this share of the time. */
const SHARE = 4
/** Milliseconds between two frames that only show how rates fade. */
const FADE = 500

/** Calls back as often as it is worth; the returned function ends that. */
export function followLive(view: LiveView, { update, tick, now, rest }: Follow): () => void {
  let timer: NodeJS.Timeout | null = null
  let due = 0
  let fading: NodeJS.Timeout | null = null
  const fade = () => {
    fading = null
    tick()
    const last = view.layer.lastChange()
    const glows = last !== null && now() - last < GLOW[1] + FADE
    if (glows || view.layer.totalRate(now()) > 0) fading ??= setTimeout(fade, FADE)
    else rest()
  }
  const run = () => {
    timer = null
    const began = performance.now()
    update()
    due = performance.now() + Math.max(LEAST, (performance.now() - began) * SHARE)
    fading ??= setTimeout(fade, FADE)
  }
  const stop = view.subscribe(() => {
    timer ??= setTimeout(run, Math.max(0, due - performance.now()))
  })
  return () => {
    stop()
    if (timer) clearTimeout(timer)
    if (fading) clearTimeout(fading)
  }
}
