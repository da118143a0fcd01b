/** What a file is, told by its first bytes: text, or what kind of binary in a few words. */
import { Buffer, isUtf8 } from 'node:buffer'
import { safe } from '../../../base/text.ts'

export interface FileKind {
  text: boolean
  /** `ELF 64-bit x86-64, shared object`, `shell script`, `text`. Harmless. */
  words: string
}

/** How many bytes from the beginning are enough. */
export const KIND_BYTES = 4096

/** Tells a file by its beginning; `size` is the size of the whole. Never fails. */
export function kindOfFile(head: Uint8Array, size: number): FileKind {
  if (size === 0) return { text: true, words: 'empty' }
  const bytes = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, KIND_BYTES))
  const binary = elf(bytes) ?? executable(bytes) ?? known(bytes)
  if (binary) return { text: false, words: binary }
  if (!looksLikeText(bytes, size)) return { text: false, words: 'binary' }
  return { text: true, words: textKind(bytes) }
}

function known(bytes: Buffer): string | null {
  for (const [at, magic, words] of magics) {
    if (bytes.length >= at + magic.length && magic.every((byte, i) => byte === null || bytes[at + i] === byte))
      return words
  }
  return null
}

const ascii = (text: string) => [...Buffer.from(text, 'latin1')]

const magics: readonly [at: number, magic: readonly (number | null)[], words: string][] = [
  [0, [0x1f, 0x8b], 'gzip compressed'],
  [0, [0x28, 0xb5, 0x2f, 0xfd], 'zstd compressed'],
  [0, ascii('BZh'), 'bzip2 compressed'],
  [0, [0xfd, ...ascii('7zXZ'), 0], 'xz compressed'],
  [0, [0x04, 0x22, 0x4d, 0x18], 'lz4 compressed'],
  [0, [0x5d, 0, 0], 'lzma compressed'],
  [0, [0x50, 0x4b, 3, 4], 'zip archive (also jar, wheel, office files)'],
  [0, [0x50, 0x4b, 5, 6], 'zip archive, empty'],
  [0, ascii('7z\xbc\xaf\x27\x1c'), '7z archive'],
  [0, ascii('Rar!'), 'rar archive'],
  [0, ascii('!<arch>\ndebian'), 'Debian package'],
  [0, ascii('!<arch>'), 'ar archive, static library'],
  [0, [0xed, 0xab, 0xee, 0xdb], 'RPM package'],
  [257, ascii('ustar'), 'tar archive'],
  [0, ascii('hsqs'), 'squashfs image'],
  [0, [0x89, ...ascii('PNG')], 'PNG image'],
  [0, [0xff, 0xd8, 0xff], 'JPEG image'],
  [0, ascii('GIF8'), 'GIF image'],
  [0, [...ascii('RIFF'), null, null, null, null, ...ascii('WEBP')], 'WebP image'],
  [0, [...ascii('RIFF'), null, null, null, null, ...ascii('WAVE')], 'WAVE audio'],
  [0, ascii('OggS'), 'Ogg audio or video'],
  [0, ascii('ID3'), 'MP3 audio'],
  [4, ascii('ftyp'), 'MP4 video'],
  [0, ascii('%PDF'), 'PDF document'],
  [0, ascii('SQLite format 3\0'), 'SQLite database'],
  [0, [0, ...ascii('asm')], 'WebAssembly module'],
  [0, ascii('wOFF'), 'WOFF font'],
  [0, ascii('wOF2'), 'WOFF2 font'],
  [0, [0, 1, 0, 0, 0], 'TrueType font'],
  [0, ascii('OTTO'), 'OpenType font'],
  [0, [0xde, 0x12, 0x04, 0x95], 'message catalogue (gettext)'],
  [0, [0x95, 0x04, 0x12, 0xde], 'message catalogue (gettext)'],
  [0, ascii('TZif'), 'time zone data'],
  [0, [null, null, 0x0d, 0x0a, null, 0, 0, 0], 'Python bytecode'],
  [0, [0xff, 0xfe], 'UTF-16 text, little endian'],
  [0, [0xfe, 0xff], 'UTF-16 text, big endian'],
]

const machines: Record<number, string> = {
  3: 'x86',
  8: 'MIPS',
  20: 'PowerPC',
  21: 'PowerPC 64',
  22: 's390x',
  40: 'ARM',
  62: 'x86-64',
  183: 'ARM64',
  243: 'RISC-V',
  247: 'BPF',
  258: 'LoongArch',
}

function elf(bytes: Buffer): string | null {
  if (bytes.length < 4 || bytes.readUInt32BE(0) !== 0x7f454c46) return null
  if (bytes.length < 20) return 'ELF, cut short'
  const wide = bytes[4] === 2
  const little = bytes[5] !== 2
  const u16 = (at: number) => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at))
  const type = u16(16)
  const machine = machines[u16(18)] ?? `machine ${u16(18)}`
  const interpreter = /\/[\x21-\x7e]{0,80}\/ld[\x21-\x7e]{0,60}/.exec(bytes.toString('latin1'))?.[0]
  const linked = interpreter ? `, needs ${interpreter}` : type === 2 ? ', static' : ''
  const what =
    ['', 'object file', 'executable', interpreter ? 'executable' : 'shared object', 'core dump'][type] ?? 'file'
  return `ELF ${wide ? '64' : '32'}-bit ${machine}, ${what}${linked}`
}

function executable(bytes: Buffer): string | null {
  if (bytes.length >= 64 && bytes[0] === 0x4d && bytes[1] === 0x5a) {
    const at = bytes.readUInt32LE(60)
    if (at + 6 <= bytes.length && bytes.readUInt32BE(at) === 0x50450000) {
      const machine = { 332: 'x86', 34404: 'x86-64', 43620: 'ARM64', 452: 'ARM' }[bytes.readUInt16LE(at + 4)]
      return `Windows program (PE), ${machine ?? 'unknown machine'}`
    }
    return 'DOS or Windows program'
  }
  if (bytes.length < 8) return null
  const magic = bytes.readUInt32BE(0)
  if (magic === 0xcffaedfe || magic === 0xcefaedfe) {
    const machine = { 7: 'x86', 16777223: 'x86-64', 12: 'ARM', 16777228: 'ARM64' }[bytes.readUInt32LE(4)]
    return `Mach-O ${machine ?? 'program'}`
  }
  if (magic !== 0xcafebabe) return null
  return bytes.readUInt32BE(4) < 40 ? 'Mach-O for several machines' : `Java class, version ${bytes.readUInt16BE(6)}`
}

/** UTF-8 (the end may be cut) without zero bytes, or Latin-1 with few controls. */
function looksLikeText(bytes: Buffer, size: number): boolean {
  if (bytes.includes(0)) return false
  let end = bytes.length
  if (size > bytes.length) while (end > bytes.length - 4 && end > 0 && (bytes[end - 1]! & 0xc0) === 0x80) end--
  if (size > bytes.length && end > 0 && bytes[end - 1]! >= 0xc0) end--
  const odd = bytes.filter(
    byte => byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 13 && byte !== 12 && byte !== 27,
  ).length
  if (isUtf8(bytes.subarray(0, end))) return odd <= bytes.length / 10
  const high = bytes.filter(byte => byte >= 0x80).length
  return odd === 0 && high <= bytes.length / 4
}

function textKind(bytes: Buffer): string {
  const text = bytes.toString('latin1')
  const script = /^#! ?([^\r\n]{1,80})/.exec(text)
  if (script) return `script for ${safe(script[1]!.replace(/^\/usr\/bin\/env (?:-S )?/, '').trim())}`
  const pem = /^-----BEGIN ([A-Z0-9 ]{1,40})-----/.exec(text)
  if (pem) return `PEM, ${pem[1]!.toLowerCase()}`
  if (/^\s*<\?xml/.test(text)) return 'XML text'
  if (/^\s*<(?:!doctype html|html)/i.test(text)) return 'HTML text'
  if (/^\s*[[{]\s*(?:["[{\]}\d-]|true|false|null)/.test(text)) return 'JSON text'
  return isUtf8(bytes) && /[\x80-\xff]/.test(text)
    ? 'UTF-8 text'
    : /[\x80-\xff]/.test(text)
      ? 'text, not UTF-8'
      : 'text'
}
