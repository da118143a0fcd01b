/** A row as something that a plan can name. */
import type { PieceKind } from '../../engine/prune.ts'
import type { StorageRow, View } from './rows.ts'

const kinds: Record<View, PieceKind> = {
  layers: 'layer',
  images: 'image',
  containers: 'container',
  volumes: 'volume',
  cache: 'cache',
}

/** What a removal of the row is a removal of. */
export function pieceOf(row: StorageRow): { kind: PieceKind; id: string } {
  return { kind: kinds[row.view], id: row.view === 'volumes' ? row.it.name : row.it.id }
}
