/** What the environment says of a terminal, and how text is copied through it. */
import { describe, expect, it } from 'vitest'
import { copySequence, MOST_BYTES } from '../../../src/ui/terminal/clipboard.ts'
import { asciiOnly, colourLevel, whyNoScreen } from '../../../src/ui/terminal/colours.ts'
import { makeTheme } from '../../../src/ui/theme.ts'

describe('the colour level', () => {
  it.each([
    [{ TERM: 'xterm' }, '16'],
    [{ TERM: 'xterm-256color' }, '256'],
    [{ TERM: 'screen-256color' }, '256'],
    [{ TERM: 'xterm-256color', COLORTERM: 'truecolor' }, 'truecolour'],
    [{ TERM: 'xterm', COLORTERM: '24bit' }, 'truecolour'],
    [{ TERM: 'xterm-kitty' }, 'truecolour'],
    [{ TERM: 'xterm-direct' }, 'truecolour'],
    [{ TERM: 'linux' }, '16'],
    [{ TERM: 'vt100' }, 'none'],
    [{ TERM: 'vt220' }, 'none'],
    [{ TERM: 'xterm-mono' }, 'none'],
    [{ TERM: 'dumb' }, 'none'],
    [{}, 'none'],
    [{ TERM: 'xterm-256color', NO_COLOR: '1' }, 'none'],
    [{ TERM: 'xterm-256color', NO_COLOR: '' }, '256'],
    [{ TERM: 'xterm-256color', NO_COLOR: '1', FORCE_COLOR: '3' }, 'none'],
    [{ TERM: 'xterm', FORCE_COLOR: '0' }, 'none'],
    [{ TERM: 'vt100', FORCE_COLOR: '1' }, '16'],
    [{ TERM: 'xterm', FORCE_COLOR: '2' }, '256'],
    [{ TERM: 'xterm', FORCE_COLOR: '3' }, 'truecolour'],
    [{ TERM: 'vt100', FORCE_COLOR: '' }, '16'],
    [{ TERM: 'xterm-256color', CLICOLOR: '0' }, 'none'],
    [{ TERM: 'vt100', CLICOLOR_FORCE: '1' }, '16'],
    [{ TERM: 'xterm-256color', CLICOLOR: '0', CLICOLOR_FORCE: '1' }, '256'],
  ])('of %j is %s', (environment, level) => {
    expect(colourLevel(environment)).toBe(level)
  })

  it('none draws without any colour, and what colour said is said otherwise', () => {
    const theme = makeTheme('none')
    const { level: _level, glyph: _glyph, letter: _letter, ...styles } = theme
    for (const style of Object.values(styles)) expect(style('x')).not.toMatch(/\x1b\[(3[0-8]|4[0-8]|9\d|10\d)/)
    expect(theme.accent('x')).toBe('\x1b[1mx\x1b[22m')
    expect(theme.cursor('x')).toBe('\x1b[7mx\x1b[27m')
  })
})

describe('a screen', () => {
  const tty = { isTTY: true }

  it('needs a terminal on both sides that can place text', () => {
    expect(whyNoScreen({ TERM: 'xterm' }, tty, tty)).toBeNull()
    expect(whyNoScreen({ TERM: 'xterm' }, tty, {})).toBe('The output is not a terminal.')
    expect(whyNoScreen({ TERM: 'xterm' }, {}, tty)).toBe('The input is not a terminal.')
    expect(whyNoScreen({ TERM: 'dumb' }, tty, tty)).toContain('TERM=dumb')
  })

  it.each([
    [{ LANG: 'en_US.UTF-8' }, false],
    [{ LANG: 'de_DE.utf8' }, false],
    [{}, false],
    [{ LANG: 'C' }, false],
    [{ LANG: 'de_DE.ISO-8859-1' }, true],
    [{ LANG: 'de_DE.ISO-8859-1', LC_ALL: 'C.UTF-8' }, false],
    [{ LANG: 'C.UTF-8', TERM: 'linux' }, true],
  ])('with %j is drawn in ASCII only: %s', (environment, ascii) => {
    expect(asciiOnly(environment)).toBe(ascii)
  })
})

describe('copying', () => {
  it('is OSC 52 with the text in base64', () => {
    expect(copySequence('ab', {})).toBe('\x1b]52;c;YWI=\x07')
  })

  it('passes through tmux, and is understood by tmux itself', () => {
    expect(copySequence('ab', { TMUX: '/tmp/x' })).toBe('\x1bPtmux;\x1b\x1b]52;c;YWI=\x07\x1b\\\x1b]52;c;YWI=\x07')
  })

  it('passes through screen in pieces that it takes', () => {
    const sequence = copySequence('x'.repeat(3000), { TERM: 'screen' })!
    const pieces = sequence.split('\x1b\\').filter(Boolean)
    expect(pieces.every(piece => piece.startsWith('\x1bP') && piece.length <= 768)).toBe(true)
    expect(pieces.map(piece => piece.slice(2)).join('')).toBe(copySequence('x'.repeat(3000), {}))
  })

  it('is not begun when terminals would cut it', () => {
    expect(copySequence('x'.repeat(MOST_BYTES), {})).not.toBeNull()
    expect(copySequence('x'.repeat(MOST_BYTES + 1), {})).toBeNull()
    expect(copySequence('é'.repeat(MOST_BYTES / 2 + 1), {})).toBeNull()
  })
})
