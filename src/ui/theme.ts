/**
 * The look of the program as data: one accent, the terminal's own colours and its default background. Every style is
 * closed by its own closer, so that styles nest; every level says the same things, the lowest without colour.
 */

/** How much colour the terminal shows: none at all, its own 16, the 256 of xterm, or any. */
export type ColourLevel = 'none' | '16' | '256' | 'truecolour'

/** Puts a style around a text that is harmless already. */
export type Style = (text: string) => string

export interface Theme extends Record<StyleName, Style> {
  level: ColourLevel
  glyph: Glyphs
  /** The style of docker diff's letter. */
  letter(letter: 'A' | 'C' | 'D' | null): Style
}

/** Attributes, and a colour of the terminal's own: people choose those so that they read well on their background. */
interface Look {
  attributes?: readonly (keyof typeof attributes)[]
  colour?: keyof typeof colours
  /** What tells it where there is no colour. */
  plain?: readonly (keyof typeof attributes)[]
}

const attributes = { bold: [1, 22], dim: [2, 22], italic: [3, 23], underline: [4, 24], inverse: [7, 27] } as const

const colours = { red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const

/** The one accent. */
const accent = 'cyan'

const looks = {
  accent: { colour: accent, plain: ['bold'] },
  strong: { attributes: ['bold'] },
  dim: { attributes: ['dim'] },
  /** Of a letter of docker diff, and of the name beside it. */
  added: { colour: 'green' },
  changed: { colour: 'yellow' },
  deleted: { colour: 'red' },
  ok: { colour: 'green' },
  warning: { colour: 'yellow', plain: ['bold'] },
  danger: { colour: 'red', attributes: ['bold'] },
  /** The row that keys act on; of the pane that has the keys, and of another. */
  cursor: { attributes: ['inverse'] },
  cursorIdle: { attributes: ['bold'] },
  /** A key on the hint line and in help. */
  key: { colour: accent, plain: ['bold'] },
  frame: { attributes: ['dim'] },
  frameFocused: { colour: accent },
  /** What a search found inside of a text. */
  match: { attributes: ['underline'], colour: accent },
  directory: { attributes: ['bold'] },
  link: { colour: accent },
  title: { attributes: ['bold'] },
} as const satisfies Record<string, Look>

export type StyleName = keyof typeof looks

/** The theme for a colour level; `ascii` for terminals whose character set is not UTF-8. */
export function makeTheme(level: ColourLevel, ascii = false): Theme {
  const styles = {} as Record<StyleName, Style>
  for (const [name, look] of Object.entries(looks)) styles[name as StyleName] = styleOf(look, level)
  const letters = { A: styles.added, C: styles.changed, D: styles.deleted }
  return {
    ...styles,
    level,
    glyph: ascii ? asciiGlyphs : glyphs,
    letter: letter => (letter ? letters[letter] : plainStyle),
  }
}

const plainStyle: Style = text => text

function styleOf(look: Look, level: ColourLevel): Style {
  const codes: [number, number][] = []
  for (const name of look.attributes ?? []) codes.push([...attributes[name]])
  if (look.colour && level !== 'none') codes.push([colours[look.colour], 39])
  if (level === 'none') for (const name of look.plain ?? []) codes.push([...attributes[name]])
  if (codes.length === 0) return plainStyle
  const open = codes.map(([start]) => `\x1b[${start}m`).join('')
  const close = codes
    .reverse()
    .map(([, end]) => `\x1b[${end}m`)
    .join('')
  return text => (text === '' ? '' : open + text + close)
}

export type Glyphs = Readonly<Record<keyof typeof glyphs, string>>

const glyphs = {
  topLeft: '╭',
  topRight: '╮',
  bottomLeft: '╰',
  bottomRight: '╯',
  teeLeft: '├',
  teeRight: '┤',
  horizontal: '─',
  vertical: '│',
  cursor: '▸',
  marked: '●',
  unmarked: '○',
  open: '▾',
  closed: '▸',
  dot: '·',
  ellipsis: '…',
  crumb: '▸',
  arrow: '→',
  prompt: '›',
  barFull: '█',
  barEmpty: '░',
  /** A bar a cell: eight heights. */
  bars: '▁▂▃▄▅▆▇█',
  scroll: '┃',
  up: '↑',
  down: '↓',
} as const

const asciiGlyphs: Glyphs = {
  topLeft: '+',
  topRight: '+',
  bottomLeft: '+',
  bottomRight: '+',
  teeLeft: '+',
  teeRight: '+',
  horizontal: '-',
  vertical: '|',
  cursor: '>',
  marked: '*',
  unmarked: 'o',
  open: 'v',
  closed: '>',
  dot: '.',
  ellipsis: '~',
  crumb: '>',
  arrow: '->',
  prompt: '/',
  barFull: '#',
  barEmpty: '.',
  bars: '.:-=+*#@',
  scroll: '#',
  up: '^',
  down: 'v',
}
