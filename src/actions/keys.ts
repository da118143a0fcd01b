/** Names of keys and how they are shown. A printable key is named by its character. */

/** A key as a person reads it: `⏎`, `esc`, `space`, `ctrl-d`, `↑`. With `ascii`, in words only. */
export function keyLabel(key: string, ascii = false): string {
  const cut = key.lastIndexOf('-')
  if (cut > 0 && cut < key.length - 1) return `${key.slice(0, cut)}-${keyLabel(key.slice(cut + 1), ascii)}`
  return (ascii ? asciiLabels : labels)[key] ?? key
}

const asciiLabels: Record<string, string> = { pageup: 'pgup', pagedown: 'pgdn', delete: 'del', insert: 'ins' }

const labels: Record<string, string> = {
  ...asciiLabels,
  enter: '⏎',
  up: '↑',
  down: '↓',
  left: '←',
  right: '→',
}

/** All keys of an action in one text: `j ↓`. */
export function keyLabels(keys: readonly string[], ascii = false): string {
  return keys.map(key => keyLabel(key, ascii)).join(' ')
}
