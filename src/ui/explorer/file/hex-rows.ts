/** Bytes as rows of a hex dump: offset, sixteen bytes in two groups, the same as characters. */

/** How many bytes a row shows at a width: 16, or 8 where that is too wide, or 4. */
export function bytesPerRow(columns: number, size: number): number {
  for (const bytes of [16, 8]) if (hexWidth(bytes, size) <= columns) return bytes
  return 4
}

/** One row: `00000010  7f 45 4c 46 02 01 01 00  00 00 …  |.ELF....|`. Harmless. */
export function hexRow(
  bytes: Uint8Array,
  offset: number,
  perRow: number,
  size: number,
): { offset: string; hex: string; text: string } {
  let hex = ''
  let text = ''
  for (let at = 0; at < perRow; at++) {
    if (at > 0) hex += at % 8 === 0 ? '  ' : ' '
    const byte = bytes[at]
    hex += byte === undefined ? '  ' : byte.toString(16).padStart(2, '0')
    text += byte === undefined ? ' ' : byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'
  }
  return { offset: offset.toString(16).padStart(offsetDigits(size), '0'), hex, text }
}

function hexWidth(perRow: number, size: number): number {
  return offsetDigits(size) + 2 + perRow * 3 + Math.floor((perRow - 1) / 8) + 1 + perRow + 2
}

function offsetDigits(size: number): number {
  return Math.max(8, Math.max(0, size - 1).toString(16).length)
}
