/** The question whether an engine may make a helper container for us, so that an image needs no export. */
import { formatBytes } from '../base/sizes.ts'
import { safe } from '../base/text.ts'
import type { HelperOffer } from '../source/open.ts'
import type { Settings } from './settings.ts'

export interface HelperAnswer {
  label: string
  detail: string
  key: string
  /** Whether it may be made now. */
  allow: boolean
  /** What is remembered; null: it is asked again. */
  keep: Settings['fastRemote'] | null
}

/** In the order in which they are offered; not to answer means: not this time. */
export const helperAnswers: readonly HelperAnswer[] = [
  { label: 'Always', detail: 'remembered', key: 'a', allow: true, keep: 'always' },
  { label: 'This time', detail: 'asked again', key: 't', allow: true, keep: null },
  { label: 'Never, export it', detail: 'remembered', key: 'n', allow: false, keep: 'never' },
]

/** What would be done and why, in sentences. Harmless text. */
export function helperQuestion({ engine, image, bytes }: HelperOffer): { title: string; lines: string[] } {
  return {
    title: `Read ${safe(image)} without an export?`,
    lines: [
      `The store of ${safe(engine)} can not be read from here, so the engine would have to export ${formatBytes(bytes)}.`,
      'Instead it can make a container of the image (label strata.helper), never started, without a network, that has ' +
        'the lists of the layers’ files bound read-only. They are read through it, and it is removed at once.',
    ],
  }
}
