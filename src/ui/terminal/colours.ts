/** How much colour a terminal shows, from the environment alone; and whether it can show a screen at all. */
import type { ColourLevel } from '../theme.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/**
 * The colour level of a terminal. Asked in this order: `NO_COLOR` (no-color.org; set and not empty), `FORCE_COLOR`
 * (0 to 3, as chalk and Node read it), `CLICOLOR_FORCE`, `CLICOLOR=0` (bixense.com/clicolors), `COLORTERM`, `TERM`.
 */
export function colourLevel(environment: Environment): ColourLevel {
  const { NO_COLOR, FORCE_COLOR, CLICOLOR, CLICOLOR_FORCE } = environment
  if (NO_COLOR) return 'none'
  if (FORCE_COLOR !== undefined) return forced(FORCE_COLOR, environment)
  if (CLICOLOR_FORCE && CLICOLOR_FORCE !== '0') return atLeast16(environment)
  if (CLICOLOR === '0') return 'none'
  return fromTerminal(environment)
}

/** Why no screen can be shown, a sentence; null when one can. */
export function whyNoScreen(
  environment: Environment,
  stdin: { isTTY?: boolean },
  stdout: { isTTY?: boolean },
): string | null {
  if (!stdout.isTTY) return 'The output is not a terminal.'
  if (!stdin.isTTY) return 'The input is not a terminal.'
  if (environment.TERM === 'dumb') return 'TERM=dumb: this terminal can not place text on its screen.'
  return null
}

/** Whether only ASCII can be drawn: the locale names a character set other than UTF-8, or it is the Linux console. */
export function asciiOnly(environment: Environment): boolean {
  if (environment.TERM === 'linux') return true
  const locale = environment.LC_ALL || environment.LC_CTYPE || environment.LANG || ''
  const charset = /\.([^@]+)/.exec(locale)?.[1]
  return charset !== undefined && !/^utf-?8$/i.test(charset)
}

function forced(value: string, environment: Environment): ColourLevel {
  const levels: Record<string, ColourLevel> = { 0: 'none', false: 'none', 1: '16', 2: '256', 3: 'truecolour' }
  return levels[value] ?? atLeast16(environment)
}

function atLeast16(environment: Environment): ColourLevel {
  const level = fromTerminal(environment)
  return level === 'none' ? '16' : level
}

function fromTerminal({ TERM = '', COLORTERM, TERM_PROGRAM, WT_SESSION }: Environment): ColourLevel {
  if (TERM === 'dumb' || /^vt(52|1\d\d|2\d\d)|-m(ono)?$/.test(TERM)) return 'none'
  if (COLORTERM === 'truecolor' || COLORTERM === '24bit') return 'truecolour'
  if (/-direct\b|-truecolor\b|^(xterm-kitty|xterm-ghostty|alacritty|wezterm|foot)\b/.test(TERM)) return 'truecolour'
  if (WT_SESSION || TERM_PROGRAM === 'iTerm.app' || TERM_PROGRAM === 'vscode') return 'truecolour'
  if (/-256(color)?\b/.test(TERM)) return '256'
  return TERM === '' ? 'none' : '16'
}
