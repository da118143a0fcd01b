/** The root of what Ink draws: the whole screen as one canvas, an overlay as a second one above it. */
import { Box, useApp, useStdin } from 'ink'
import { useEffect, useSyncExternalStore } from 'react'
import { drawOverlay, drawScreen } from './frame.ts'
import type { Host } from './store.ts'
import { Canvas } from './widgets/canvas.tsx'

export interface AppProps {
  host: Host
  /** Hands out what only a component can reach. */
  ready(ink: { suspend(run: () => Promise<void>): Promise<void>; exit(): void }): void
  /** A screen could not be drawn. */
  crashed(error: unknown): void
}

/** Draws the state; takes no part in deciding it. */
export function App({ host, ready, crashed }: AppProps) {
  const { suspendTerminal, exit } = useApp()
  const { setRawMode } = useStdin()
  const state = useSyncExternalStore(host.store.subscribe, host.state)
  useEffect(() => ready({ suspend: run => suspendTerminal(run), exit }), [ready, suspendTerminal, exit])
  useEffect(() => {
    setRawMode(true)
    return () => setRawMode(false)
  }, [setRawMode])

  const { size } = state
  const screen = once(() => guarded(() => drawScreen(host, size), [], crashed))
  const overlay = guarded(() => drawOverlay(host, size), null, crashed)
  return (
    <Box width={size.columns} height={size.rows}>
      <Canvas columns={size.columns} rows={size.rows} lines={screen} />
      {overlay && (
        <Canvas
          columns={overlay.columns}
          rows={overlay.lines.length}
          lines={() => overlay.lines}
          at={{ x: overlay.x, y: overlay.y }}
        />
      )}
    </Box>
  )
}

/** A function that computes its value when it is first asked for it. */
function once<T>(compute: () => T): () => T {
  let value: T | undefined
  return () => (value ??= compute())
}

/** What a drawing gives, or `otherwise` when it throws: Ink calls it where nobody would hear of that. */
function guarded<T>(draw: () => T, otherwise: T, crashed: (error: unknown) => void): T {
  try {
    return draw()
  } catch (error) {
    crashed(error)
    return otherwise
  }
}
