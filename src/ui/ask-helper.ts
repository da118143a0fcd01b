/** Asks on the screen whether a helper container may be made, and has the answer remembered. */
import { helperAnswers, helperQuestion } from '../actions/fast-remote.ts'
import { asFault } from '../base/errors.ts'
import type { HelperOffer } from '../source/open.ts'
import type { Ui } from './ui.ts'

/** Whether it may; no, when the question is not answered. An answer that can not be remembered counts all the same. */
export async function askHelper(ui: Ui, offer: HelperOffer): Promise<boolean> {
  const chosen = await ui.choose({ ...helperQuestion(offer), items: helperAnswers, at: 1, signal: offer.signal })
  const answer = chosen === null ? undefined : helperAnswers[chosen]
  if (!answer) return false
  try {
    if (answer.keep) await ui.services.remember({ fastRemote: answer.keep })
  } catch (error) {
    ui.toast(asFault(error, 'The answer can not be remembered').message, 'warning')
  }
  return answer.allow
}
