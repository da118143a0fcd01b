/** Where things are, as numbers that follow from the size of the terminal alone. */

/** In character cells. */
export interface Size {
  columns: number
  rows: number
}

/** Rows that the app draws itself: the breadcrumb above, the bottom line below. */
export const CHROME_ROWS = 2

/** Below this the app says what it needs and draws nothing else. */
export const SMALLEST: Size = { columns: 20, rows: 5 }

/** The size that a screen's body has. */
export function bodySize(size: Size): Size {
  return { columns: size.columns, rows: Math.max(0, size.rows - CHROME_ROWS) }
}

/** Widths of two panes side by side, the left one the smaller; null where only one fits. */
export function twoPanes(columns: number): [left: number, right: number] | null {
  if (columns < 76) return null
  const left = Math.min(64, Math.max(34, Math.round(columns * 0.4)))
  return [left, columns - left]
}
