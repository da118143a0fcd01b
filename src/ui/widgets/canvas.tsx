/**
 * A block of finished lines on the screen. Ink lays out one box and asks for the lines when it paints, so that a frame
 * is drawn once however many keys came before it. The lines reach the terminal as they are: they must be harmless.
 */
import { Box, Transform } from 'ink'

export interface CanvasProps {
  columns: number
  rows: number
  /** The lines as of now; asked for once a row, so it remembers them. */
  lines: () => readonly string[]
  /** Over what is there already. */
  at?: { x: number; y: number }
}

/** The lines in a box of their size. */
export function Canvas({ columns, rows, lines, at }: CanvasProps) {
  const place = at ? ({ position: 'absolute', left: at.x, top: at.y } as const) : {}
  return (
    <Box width={columns} height={rows} flexShrink={0} {...place}>
      <Transform transform={(_, row) => lines()[row] ?? ''}>{placeholder(rows)}</Transform>
    </Box>
  )
}

/** As many lines as there are rows, one column wide, for Ink to measure. */
function placeholder(rows: number): string {
  return Array.from({ length: rows }, () => ' ').join('\n')
}
