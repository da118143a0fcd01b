/** What Docker and Podman answer about one thing of a container: its changes, a path, its processes. */
import * as z from 'zod'
import type { Change, PathStat } from './containers.ts'
import { lenient, most, text, texts } from './fields.ts'

/** `GET /containers/ID/changes`: null where nothing has changed. */
export const changesShape: z.ZodType<Change[]> = z
  .array(z.unknown())
  .nullable()
  .transform(list =>
    (list ?? [])
      .map(one => lenient(changeItem, one))
      .filter(({ Path, Kind }) => Path.startsWith('/') && Kind >= 0 && Kind <= 2)
      .map(({ Path, Kind }) => ({ change: (['C', 'A', 'D'] as const)[Kind], path: Path })),
  )

/** `GET /containers/ID/top`: Podman answers nothing at all for a container that does not run. */
export const topShape: z.ZodType<{ titles: string[]; rows: string[][] }> = z.unknown().transform(raw => {
  const { Titles, Processes } = lenient(topItem, raw)
  const rows = Processes.slice(0, most.rows)
  if (Titles.length !== 1) return { titles: Titles, rows }
  // Podman hands on what the container's own ps said, each line as one column.
  const titles = Titles[0].trim().split(/\s+/)
  return { titles, rows: rows.map(([line = '']) => columnsOf(line, titles.length)) }
})

/** `X-Docker-Container-Path-Stat`: JSON in base64, its mode as Go has it. null where it can not be read. */
export function pathStatOf(header: unknown): PathStat | null {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(String(header), 'base64').toString('utf8'))
  } catch {
    return null
  }
  const { size, mode, mtime } = lenient(pathStat, value)
  const has = (bit: number) => (mode / 2 ** bit) % 2 >= 1
  const special = (has(23) ? 0o4000 : 0) | (has(22) ? 0o2000 : 0) | (has(20) ? 0o1000 : 0)
  const other = [26, 25, 24, 21].some(has)
  return {
    kind: has(31) ? 'dir' : has(27) ? 'symlink' : other ? 'other' : 'file',
    size,
    mode: (mode % 0o1000) | special,
    mtime: Date.parse(mtime) || 0,
  }
}

const count = z.number().int().nonnegative().catch(0)

const changeItem = z.object({ Path: text, Kind: z.number().int().catch(-1) })

const pathStat = z.object({ size: count, mode: count, mtime: text })

const topItem = z.object({ Titles: texts, Processes: z.array(texts).catch([]) })

/** The last column holds all that is left. */
function columnsOf(line: string, count: number): string[] {
  const words = line.trim().split(/\s+/)
  return [...words.slice(0, count - 1), words.slice(count - 1).join(' ')]
}
