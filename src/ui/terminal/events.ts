/** What comes from the terminal, once its bytes are understood. */

export type InputEvent = KeyEvent | PasteEvent | MouseEvent

export interface KeyEvent {
  kind: 'key'
  /** `a`, `A`, `?`, `space`, `enter`, `ctrl-d`, `alt-x`, `shift-up`, `f5`. */
  key: string
  /** What it types into a line of text; empty for a key that types nothing. */
  text: string
}

export interface PasteEvent {
  kind: 'paste'
  /** As it was pasted: foreign text. */
  text: string
}

export interface MouseEvent {
  kind: 'press' | 'release' | 'drag' | 'wheel'
  /** 0 left, 1 middle, 2 right; of a wheel always 0. */
  button: number
  /** Column and row, 0-based. */
  x: number
  y: number
  /** Rows of a wheel: -1 up, 1 down; 0 for the others. */
  by: number
  shift: boolean
  ctrl: boolean
  alt: boolean
}
