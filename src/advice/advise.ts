/**
 * Advice on an image: what wastes bytes, what to write instead, and secrets that were deleted but still ship. Rules look
 * at the numbers of the stack and at the words of the steps, never into a file. Each advice counts a byte at most once;
 * two pieces of advice may count the same byte (a package cache that is deleted too late is both), so they do not add up.
 */
import type { ImageConfig, Step } from '../image/types.ts'
import type { Stack } from '../layer/stack.ts'
import { baseAdvice } from './base.ts'
import { buildToolAdvice } from './build-tools.ts'
import { cacheAdvice } from './caches.ts'
import { contextOf } from './context.ts'
import { leftoverAdvice } from './leftovers.ts'
import { lostLaterAdvice } from './lost-later.ts'
import { secretAdvice } from './secrets.ts'
import { storedAgainAdvice } from './stored-again.ts'

/** One piece of advice. All texts are harmless for a terminal. */
export interface Advice {
  /** A short stable word: `chown`, `apt-lists`, `deleted-secret`, … */
  rule: string
  /** What is wrong, one sentence. */
  title: string
  /** Bytes that following the advice saves in the stored layers (of a secret: the bytes that still ship). */
  bytes: number
  /** The layers it concerns, 0-based, bottom first. */
  layers: number[]
  /** What to write instead. */
  fix: string
  /** The steps it concerns, 1-based. */
  steps: number[]
  /** The biggest files as examples, at most five: paths as bytes, without a leading slash. */
  paths: Uint8Array[]
  /** How many files. */
  files: number
}

export interface AdviceOptions {
  steps: readonly Step[]
  config: ImageConfig
  /** The whole image. Where content hashes were told to it (`setCrcs`), `chown` advice is exact. */
  stack: Stack
  /** Advice that saves less is left out, but for secrets. Bytes. */
  least?: number
}

/** All advice: secrets first, then what saves most. At most 50 pieces. Linear in the entries of the stack. */
export function advise({ steps, config, stack, least = 1000 }: AdviceOptions): Advice[] {
  if (stack.layers.length === 0) return []
  const context = contextOf(steps, config, stack)
  const secrets = secretAdvice(context)
  const again = storedAgainAdvice(context)
  const others = [
    ...again.advice,
    ...lostLaterAdvice(context, again.explained),
    ...cacheAdvice(context),
    ...buildToolAdvice(context),
    ...baseAdvice(context),
    ...leftoverAdvice(context),
  ]
  others.sort((a, b) => b.bytes - a.bytes)
  return [...secrets, ...others.filter(one => one.bytes >= least)].slice(0, 50)
}
