/** Modes of the terminal that Ink does not know: bracketed paste, the mouse; and what makes a terminal whole again. */

/** DEC private modes: 1000 presses and the wheel, 1002 drags, 1006 reports in SGR form. */
const MOUSE_ON = '\x1b[?1000h\x1b[?1002h\x1b[?1006h'
const MOUSE_OFF = '\x1b[?1006l\x1b[?1002l\x1b[?1000l'
const PASTE_ON = '\x1b[?2004h'
const PASTE_OFF = '\x1b[?2004l'

/** What the screen needs while it has the terminal. */
export function enterModes(mouse: boolean): string {
  return PASTE_ON + (mouse ? MOUSE_ON : '')
}

/** The opposite, for a child, the shell or the end. */
export function leaveModes(mouse: boolean): string {
  return (mouse ? MOUSE_OFF : '') + PASTE_OFF
}

/** After a crash in which nothing can be taken for granted: no style, a cursor, the first screen. */
export const WHOLE_AGAIN = `${leaveModes(true)}\x1b[0m\x1b[?25h\x1b[?1049l`
