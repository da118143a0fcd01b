/** Times as docker's command line says them and takes them. Pure. */

/** `Less than a second`, `About a minute`, `3 hours`, `2 weeks`: what stands before `ago` and after `Up`. From milliseconds. */
export function roughDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000)
  if (seconds < 1) return 'Less than a second'
  if (seconds === 1) return '1 second'
  if (seconds < 60) return `${seconds} seconds`
  const minutes = Math.trunc(seconds / 60)
  if (minutes === 1) return 'About a minute'
  if (minutes < 60) return `${minutes} minutes`
  const hours = Math.trunc(seconds / 3600 + 0.5)
  if (hours === 1) return 'About an hour'
  if (hours < 48) return `${hours} hours`
  if (hours < 24 * 7 * 2) return `${Math.trunc(hours / 24)} days`
  if (hours < 24 * 30 * 2) return `${Math.trunc(hours / 24 / 7)} weeks`
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`
  return `${Math.trunc(seconds / 3600 / 24 / 365)} years`
}

/**
 * A moment as a person writes it, in seconds since 1970: `10m`, `1h30m`, `1.5h` (so long before `now`, in milliseconds),
 * seconds since 1970, a date with or without a time (local, unless it names a zone). null when it is none.
 */
export function parseMoment(text: string, now: number): number | null {
  const seconds = parseSpan(text)
  if (seconds !== null) return now / 1000 - seconds
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text)
  const date =
    /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2})(?::(\d{2})(?::(\d{2})(\.\d{1,9})?)?)?)?(Z|[+-]\d{2}:?\d{2})?$/.exec(text)
  if (!date) return null
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone = ''] = date
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${zone.replace(/^(...)(\d\d)$/, '$1:$2')}`)
  return Number.isNaN(ms) ? null : ms / 1000 + Number(fraction)
}

const units: Record<string, number> = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 }

/** `1h30m` in seconds; null when it is none. */
function parseSpan(text: string): number | null {
  if (!/^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) return null
  let sum = 0
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)) sum += Number(count) * units[unit]
  return sum
}
