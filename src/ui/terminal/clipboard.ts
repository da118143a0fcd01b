/**
 * Copying through the terminal (OSC 52), which reaches the clipboard of the person's own machine over ssh too. Inside
 * of tmux and screen the sequence is wrapped so that it passes through.
 */
import { Buffer } from 'node:buffer'
import type { Environment } from './colours.ts'

/** Many terminals drop a sequence longer than 100 000 bytes: this is what fits as base64, in bytes. */
export const MOST_BYTES = 74_000

/** What to write to the terminal; null when the text is too long to be copied whole. */
export function copySequence(text: string, environment: Environment): string | null {
  const bytes = Buffer.from(text)
  if (bytes.length > MOST_BYTES) return null
  const sequence = `\x1b]52;c;${bytes.toString('base64')}\x07`
  if (environment.TMUX) return tmux(sequence)
  if (/^screen/.test(environment.TERM ?? '')) return screen(sequence)
  return sequence
}

/** tmux passes it on with `allow-passthrough`; without that it takes the plain one itself (`set-clipboard`). */
function tmux(sequence: string): string {
  return `\x1bPtmux;${sequence.replaceAll('\x1b', '\x1b\x1b')}\x1b\\${sequence}`
}

/** screen takes strings of at most 768 bytes: cut into several, each in a string of its own. */
function screen(sequence: string): string {
  const pieces = sequence.match(/[\s\S]{1,700}/g) ?? []
  return pieces.map(piece => `\x1bP${piece}\x1b\\`).join('')
}
