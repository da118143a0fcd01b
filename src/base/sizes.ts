/** Numbers as people read them: bytes, counts, shares, durations and ages; and sizes as people write them. */

/**
 * Bytes in SI units with three significant digits, as `docker history` rounds them: `0 B`, `51.2 kB`, `6.04 MB`,
 * `916 MB`. At most 7 columns up to 999 EB (one more for a minus sign). `–` for what is no number.
 */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return '–'
  const sign = bytes < 0 ? '-' : ''
  let value = Math.abs(bytes)
  let unit = 0
  if (value < 1000) return `${sign}${Math.round(value)} B`
  while (Number(value.toPrecision(3)) >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${sign}${Number(value.toPrecision(3))} ${units[unit]}`
}

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB']

/**
 * A size as a person writes it, in bytes: `123`, `20MB`, `10 kb`, `1.5GiB`. Letters of either case; `k`, `kB` are 1000,
 * `Ki`, `KiB` are 1024. null when it is no size.
 */
export function parseBytes(text: string): number | null {
  const match = /^\s*(\d{1,18}(?:\.\d{1,18})?|\.\d{1,18})\s*(?:([kmgtpe])(i?))?b?\s*$/i.exec(text)
  if (!match) return null
  const power = match[2] ? 'kmgtpe'.indexOf(match[2].toLowerCase()) + 1 : 0
  return Math.round(Number(match[1]) * (match[3] ? 1024 : 1000) ** power)
}

/** A whole number with a space between thousands: `41 207`. */
export function formatCount(count: number): string {
  if (!Number.isFinite(count)) return '–'
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ' ')
}

/** A share (1 = all) in percent with one decimal. Never `100 %` of what is not all, never `0 %` of what is something. */
export function formatPercent(share: number): string {
  if (!Number.isFinite(share)) return '–'
  const percent = share * 100
  if (percent > 0 && percent < 0.1) return '<0.1 %'
  if (percent > 99.9 && percent < 100) return '99.9 %'
  return `${Number(percent.toFixed(1))} %`
}

/** A duration in milliseconds in its one or two largest units: `85 ms`, `4.2 s`, `1 min 5 s`, `3 h 20 min`, `2 d 4 h`. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return '–'
  if (ms < 0) return `-${formatDuration(-ms)}`
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 9_950) return `${Number((ms / 1000).toFixed(1))} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return two(seconds, 60, 'min', 1, 's')
  if (seconds < 86_400) return two(seconds, 3600, 'h', 60, 'min')
  return two(seconds, 86_400, 'd', 3600, 'h')
}

function two(seconds: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((seconds % large) / small)
  const whole = `${Math.floor(seconds / large)} ${largeName}`
  return rest === 0 ? whole : `${whole} ${rest} ${smallName}`
}

/**
 * How long ago something was, from its age in milliseconds: `just now`, `2 min ago`, `24 h ago`, `3 d ago`, `5 mo ago`,
 * `2 y ago`. An age below zero (clocks differ) by more than a minute: `in 3 d`.
 */
export function formatAge(ms: number): string {
  if (!Number.isFinite(ms)) return '–'
  const minutes = Math.floor(Math.abs(ms) / 60_000)
  if (minutes < 1) return 'just now'
  const age = inOneUnit(minutes)
  return ms < 0 ? `in ${age}` : `${age} ago`
}

function inOneUnit(minutes: number): string {
  const hours = Math.floor(minutes / 60)
  const days = Math.floor(hours / 24)
  if (hours < 1) return `${minutes} min`
  if (hours < 48) return `${hours} h`
  if (days < 60) return `${days} d`
  if (days < 730) return `${Math.floor(days / 30.44)} mo`
  return `${Math.floor(days / 365.25)} y`
}
