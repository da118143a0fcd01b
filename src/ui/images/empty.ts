/** What is shown in place of an empty list: why it is empty, and three ways on. */
import type { EngineStatus } from '../../actions/image-list.ts'
import { safe } from '../../base/text.ts'
import type { Size } from '../layout.ts'
import type { Theme } from '../theme.ts'
import { exactly, line, type Part } from '../widgets/line.ts'
import { wrap } from '../widgets/wrap.ts'

/** Lines for a body without images; `complete`: every engine has answered. */
export function emptyLines(theme: Theme, size: Size, engines: readonly EngineStatus[], complete: boolean): string[] {
  const width = Math.min(size.columns, 64)
  const way = (key: string, text: string, note = ''): Part[] => ['  ', [theme.key, key], '  ', text, [theme.dim, note]]
  const blocks: Part[][] = [
    [[theme.title, complete ? 'No images here yet.' : 'Asking the engines …']],
    [],
    way('a', 'open an archive or a directory', ''),
    way('b', 'open the built-in sample', '  no engine, no network'),
    way('p', 'look at an image in a registry, or pull it'),
    [],
    ...(complete && engines.length === 0
      ? [[[theme.dim, 'Neither Docker nor Podman was found on this machine.'] as const]]
      : []),
    ...engines.filter(engine => engine.state === 'down').flatMap(engine => reason(theme, width, engine)),
  ]
  const top = Math.max(0, Math.floor((size.rows - blocks.length) / 3))
  const left = ' '.repeat(Math.max(0, (size.columns - width) >> 1))
  const lines = blocks.map(parts => line(size.columns, [left, ...parts]))
  return exactly([...exactly([], size.columns, top), ...lines], size.columns, size.rows)
}

function reason(theme: Theme, width: number, engine: EngineStatus): Part[][] {
  const text = `${safe(engine.name)}: ${safe(engine.reason ?? 'does not answer')}`
  return wrap(text, width).map((one): Part[] => [[theme.dim, one]])
}
