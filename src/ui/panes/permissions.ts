/** Type and permissions of an entry in the ten letters of `ls -l`. */
import { Kind } from '../../layer/entry.ts'

/** `-rwxr-xr-x`, `drwxrwxrwt`, `lrwxrwxrwx`; a hard link is the file that it is. */
export function permissions(kind: Kind, mode: number): string {
  return typeLetter(kind) + [6, 3, 0].map(shift => triple(mode, shift)).join('')
}

function typeLetter(kind: Kind): string {
  switch (kind) {
    case Kind.dir:
      return 'd'
    case Kind.symlink:
      return 'l'
    case Kind.char:
      return 'c'
    case Kind.block:
      return 'b'
    case Kind.fifo:
      return 'p'
    default:
      return '-'
  }
}

function triple(mode: number, shift: number): string {
  const bits = (mode >> shift) & 7
  const special = shift === 0 ? mode & 0o1000 : mode & (shift === 6 ? 0o4000 : 0o2000)
  const execute = (bits & 1) !== 0
  const letter = shift === 0 ? 't' : 's'
  const last = special === 0 ? (execute ? 'x' : '-') : execute ? letter : letter.toUpperCase()
  return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${last}`
}
