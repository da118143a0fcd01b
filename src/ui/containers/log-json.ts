/** A line of a log that is a JSON object, as `ERROR 12:03:04.005 what happened key=value`, and opened, a value a line. Pure. */
import { safe } from '../../base/text.ts'
import type { Said } from './log-text.ts'
import { stampOf, type TimeMode } from './log-times.ts'
import { colourLook, DIM } from './looks.ts'

/** Keys of one line that are shown, characters of one value, and lines of one that is open. */
const MOST_KEYS = 64
const LONGEST_VALUE = 512
const MOST_LINES = 400

const levelKeys = ['level', 'lvl', 'severity', 'log.level', 'levelname', '@level', 'loglevel']
const timeKeys = ['time', 'timestamp', 'ts', '@timestamp', 'date', 'datetime', '@t', 't']
const messageKeys = ['message', 'msg', '@message', '@m', 'event', 'text', 'log']

/** The object that a line is; null when it is none, or is malformed. */
export function jsonOf(text: string): Record<string, unknown> | null {
  const begin = text.trimStart()
  if (!begin.startsWith('{') || !begin.trimEnd().endsWith('}')) return null
  try {
    const value: unknown = JSON.parse(begin)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null
  } catch {
    return null
  }
}

/** The line in one row; null for one that is no JSON object. `now` in milliseconds. */
export function prettyJson(text: string, times: TimeMode, now: number): Said | null {
  const value = jsonOf(text)
  if (value === null) return null
  const keys = Object.keys(value)
  const level = keyOf(keys, levelKeys)
  const time = keyOf(keys, timeKeys)
  const message = keyOf(keys, messageKeys)
  const line = writer()
  if (level !== undefined) {
    const { word, look } = levelOf(value[level])
    line.put(word.padEnd(5), look)
    line.put(' ')
  }
  if (time !== undefined) line.put(`${timeWords(value[time], times, now)} `, DIM)
  if (message !== undefined) line.put(plainText(value[message]))
  let shown = 0
  for (const key of keys) {
    if (key === level || key === time || key === message) continue
    if (shown++ === MOST_KEYS) {
      line.put(' …', DIM)
      break
    }
    if (line.length() > 0) line.put(' ')
    line.put(`${safe(key.slice(0, 128))}=`, DIM)
    line.put(quoted(value[key]))
  }
  return line.said()
}

/** All of it, indented; null for a line that is no JSON object. */
export function openedJson(text: string): Said[] | null {
  const value = jsonOf(text)
  if (value === null) return null
  const rows = JSON.stringify(value, null, 2).split('\n', MOST_LINES + 1)
  const said = rows.slice(0, MOST_LINES).map(row => jsonRow(`  ${safe(row)}`))
  return rows.length > MOST_LINES ? [...said, { text: '  …', looks: '' }] : said
}

/** A key is dim, so that values stand out. */
function jsonRow(text: string): Said {
  const key = /^\s*"(?:[^"\\]|\\.){0,512}":/.exec(text)
  if (!key) return { text, looks: '' }
  return { text, looks: String.fromCharCode(0, DIM, key[0].length, 0) }
}

function keyOf(keys: readonly string[], wanted: readonly string[]): string | undefined {
  return wanted.map(one => keys.find(key => key.toLowerCase() === one)).find(key => key !== undefined)
}

const red = colourLook(1, true)
const yellow = colourLook(3)
const green = colourLook(2)

/** Pino and bunyan count them, zerolog and others write them out. */
function levelOf(value: unknown): { word: string; look: number } {
  const word = (typeof value === 'number' ? (numbered[value] ?? String(value)) : plainText(value)).toUpperCase()
  const short = safe(word.slice(0, 12))
  if (/^(?:ERR|FATAL|CRIT|PANIC|EMERG|ALERT)/.test(short)) return { word: short, look: red }
  if (/^WARN/.test(short)) return { word: short.replace('WARNING', 'WARN'), look: yellow }
  if (/^(?:INFO|NOTICE)/.test(short)) return { word: short, look: green }
  return { word: short, look: DIM }
}

const numbered: Record<number, string> = { 10: 'TRACE', 20: 'DEBUG', 30: 'INFO', 40: 'WARN', 50: 'ERROR', 60: 'FATAL' }

/** As the clock of the screen says it, where it is a time at all: a date, or seconds, milliseconds or more since 1970. */
function timeWords(value: unknown, times: TimeMode, now: number): string {
  const ms = typeof value === 'number' ? since1970(value) : Date.parse(typeof value === 'string' ? value : '')
  const said = Number.isNaN(ms) ? plainText(value) : stampOf(ms, times === 'off' ? 'local' : times, now).trim()
  return said.slice(0, 40)
}

function since1970(value: number): number {
  if (value < 1e8 || value > 1e20) return Number.NaN
  if (value < 1e11) return value * 1000
  return value < 1e14 ? value : value < 1e17 ? value / 1e3 : value / 1e6
}

function plainText(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
  return safe(text.slice(0, LONGEST_VALUE)) + (text.length > LONGEST_VALUE ? '…' : '')
}

/** As a shell would want it. */
function quoted(value: unknown): string {
  if (typeof value !== 'string') return plainText(value)
  return value === '' || /[\s"=]/.test(value) ? plainText(JSON.stringify(value)) : plainText(value)
}

function writer() {
  let text = ''
  let looks = ''
  let last = 0
  return {
    put(some: string, look = 0) {
      if (look !== last) looks += String.fromCharCode(text.length, look)
      last = look
      text += some
    },
    length: () => text.length,
    said: (): Said => ({ text, looks }),
  }
}
