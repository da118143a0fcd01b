/** The texts that several verbs show: paths, permissions, times, commands. */
import { Buffer, isUtf8 } from 'node:buffer'
import { safeBytes } from '../base/text.ts'
import type { Letter } from '../layer/changes.ts'
import type { Kind } from '../layer/entry.ts'
import type { Style } from './output.ts'

/** A path as JSON carries it: as it is where it is UTF-8, else escaped and with its bytes beside it. */
export function jsonPath(path: Uint8Array): { path: string; pathBase64?: string } {
  if (isUtf8(path)) return { path: Buffer.from(path).toString('utf8') }
  return { path: safeBytes(path), pathBase64: Buffer.from(path).toString('base64') }
}

/** A path for a person or a pipe; the root is `/`. */
export function pathText(path: Uint8Array): string {
  return path.length === 0 ? '/' : safeBytes(path)
}

/** `drwxr-xr-x`, as `ls` writes it. */
export function permissions(kind: Kind, mode: number): string {
  const letter = '-dl-cbp'[kind] ?? '?'
  const bits = [...'rwxrwxrwx'].map((one, at) => (mode & (0o400 >> at) ? one : '-'))
  const special: [number, number, string][] = [
    [0o4000, 2, 's'],
    [0o2000, 5, 's'],
    [0o1000, 8, 't'],
  ]
  for (const [bit, at, one] of special) if (mode & bit) bits[at] = bits[at] === 'x' ? one : one.toUpperCase()
  return letter + bits.join('')
}

/** `0755`, octal. */
export function octal(mode: number): string {
  return `0${mode.toString(8).padStart(3, '0')}`
}

/** The colour of a letter; the letter itself always stands there too. */
export function styleOf(letter: Letter | null | undefined): Style | null {
  return letter === 'A' ? 'green' : letter === 'C' ? 'yellow' : letter === 'D' ? 'red' : null
}
