/** Columns of a table that give way where it is narrow: each says what it is worth, and the name outlives them all. */
export interface Column {
  name: string
  /** Without the space that follows it. */
  width: number
  /** The least worth goes first. */
  worth: number
}

/** The columns that fit beside a name of at least `least` columns, in their order, and what is left for the name. */
export function fitColumns(
  columns: readonly Column[],
  total: number,
  least: number,
): { kept: Set<string>; rest: number } {
  const kept = new Set(columns)
  const used = () => [...kept].reduce((sum, column) => sum + column.width + 1, 0)
  for (const column of [...columns].sort((a, b) => a.worth - b.worth)) {
    if (used() + least <= total) break
    kept.delete(column)
  }
  return { kept: new Set([...kept].map(column => column.name)), rest: Math.max(0, total - used()) }
}
