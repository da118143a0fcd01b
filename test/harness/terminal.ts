/** What a terminal shows: text and styles of cells, read from a terminal emulator. */
import xterm from '@xterm/headless'

export type Emulator = InstanceType<typeof xterm.Terminal>

/** An emulated terminal of a size. */
export function emulator(columns: number, rows: number): Emulator {
  return new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, convertEol: false, scrollback: 500 })
}

/** The text on the screen: a line a row, without blanks at their ends. */
export function screenText(terminal: Emulator): string {
  return Array.from({ length: terminal.rows }, (_, y) => lineText(terminal, y)).join('\n')
}

/** The text of one row, without blanks at its end. */
export function lineText(terminal: Emulator, y: number): string {
  const { active } = terminal.buffer
  return (
    active
      .getLine(active.baseY + y)
      ?.translateToString(true)
      .trimEnd() ?? ''
  )
}

/** The style of one cell in words: `cyan bold`, `inverse`, empty for none. */
export function cellStyle(terminal: Emulator, x: number, y: number): string {
  const { active } = terminal.buffer
  const cell = active.getLine(active.baseY + y)?.getCell(x)
  if (!cell) return ''
  const words: string[] = []
  if (cell.isFgPalette()) words.push(colourName(cell.getFgColor()))
  if (cell.isFgRGB()) words.push(`#${cell.getFgColor().toString(16).padStart(6, '0')}`)
  if (cell.isBgPalette()) words.push(`on-${colourName(cell.getBgColor())}`)
  if (cell.isBgRGB()) words.push(`on-#${cell.getBgColor().toString(16).padStart(6, '0')}`)
  if (cell.isBold()) words.push('bold')
  if (cell.isDim()) words.push('dim')
  if (cell.isItalic()) words.push('italic')
  if (cell.isUnderline()) words.push('underline')
  if (cell.isInverse()) words.push('inverse')
  return words.join(' ')
}

/** The styles of a screen as a picture: a letter a cell, `.` for plain, and below it what the letters mean. */
export function styleText(terminal: Emulator): string {
  const letters = new Map<string, string>()
  const picture = Array.from({ length: terminal.rows }, (_, y) => {
    let row = ''
    for (let x = 0; x < terminal.cols; x++) {
      const style = cellStyle(terminal, x, y)
      if (style !== '' && !letters.has(style)) letters.set(style, alphabet[letters.size] ?? '?')
      row += style === '' ? '.' : letters.get(style)
    }
    return row.replace(/\.+$/, '')
  })
  const legend = [...letters].map(([style, letter]) => `${letter} ${style}`)
  return [...picture, '', ...legend].join('\n')
}

const alphabet = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
const names = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white']

function colourName(index: number): string {
  if (index < 8) return names[index]!
  return index < 16 ? `bright-${names[index - 8]}` : `colour${index}`
}

/** The bytes that a terminal sends for a key by its name; a longer text as it is. */
export function keyBytes(key: string): string {
  if (keys[key] !== undefined) return keys[key]
  const control = /^ctrl-([a-z])$/.exec(key)
  if (control) return String.fromCharCode(control[1]!.charCodeAt(0) - 0x60)
  const alt = /^alt-(.)$/.exec(key)
  return alt ? `\x1b${alt[1]}` : key
}

/** Escape in kitty's spelling: a lone escape byte is a key only when nothing follows for a while. */
const keys: Record<string, string> = {
  esc: '\x1b[27u',
  enter: '\r',
  tab: '\t',
  'shift-tab': '\x1b[Z',
  space: ' ',
  backspace: '\x7f',
  up: '\x1b[A',
  down: '\x1b[B',
  right: '\x1b[C',
  left: '\x1b[D',
  home: '\x1b[H',
  end: '\x1b[F',
  pageup: '\x1b[5~',
  pagedown: '\x1b[6~',
  delete: '\x1b[3~',
  f1: '\x1bOP',
}
