/** HEALTHCHECK in its two spellings: Go's print of the struct, and the Dockerfile's own words. */
import { parseList, quoted, unquoteGo } from './instruction.ts'
import type { Healthcheck } from './types.ts'

/** Reads what follows HEALTHCHECK. null when it can not be read. */
export function parseHealthcheck(text: string): Healthcheck | null {
  return text.startsWith('&{') ? printed(text) : written(text)
}

/** Writes a healthcheck as a Dockerfile has it: `--interval=30s CMD curl -f http://localhost/`. */
export function formatHealthcheck(check: Healthcheck): string {
  const [kind, ...command] = check.test
  if (kind === 'NONE' || kind === undefined) return 'NONE'
  const flag = (name: string, ns: number) => (ns > 0 ? `--${name}=${formatGoDuration(ns)} ` : '')
  const flags =
    flag('interval', check.interval) +
    flag('timeout', check.timeout) +
    flag('start-period', check.startPeriod) +
    flag('start-interval', check.startInterval) +
    (check.retries > 0 ? `--retries=${check.retries} ` : '')
  return `${flags}CMD ${kind === 'CMD-SHELL' ? command.join(' ') : JSON.stringify(kind === 'CMD' ? command : check.test)}`
}

/** `&{["CMD-SHELL" "curl …"] "30s" "3s" "0s" '\x03'}`; newer builders print a fifth duration, the start interval. */
function printed(text: string): Healthcheck | null {
  const match = /^&\{(\[(?:"(?:[^"\\]|\\[\s\S])*"[\s,]*)*\])([\s\S]*)\}$/.exec(text)
  const test = match && parseList(match[1])
  if (!test) return null
  const durations = [...match[2].matchAll(quoted)].map(one => parseGoDuration(one[1]) ?? 0)
  const rune = /'((?:[^'\\]|\\[\s\S])[^']*)'\s*$/.exec(match[2])
  const [interval = 0, timeout = 0, startPeriod = 0, startInterval = 0] = durations
  return {
    test,
    interval,
    timeout,
    startPeriod,
    startInterval,
    retries: rune ? (unquoteGo(rune[1]).codePointAt(0) ?? 0) : 0,
  }
}

/** `--interval=5s --retries=3 CMD curl …` or `NONE`. */
function written(text: string): Healthcheck | null {
  const check: Healthcheck = { test: [], interval: 0, timeout: 0, startPeriod: 0, startInterval: 0, retries: 0 }
  let rest = text.trim()
  for (
    let flag: RegExpExecArray | null;
    (flag = /^--([\w-]+)=(\S+)\s+/.exec(rest));
    rest = rest.slice(flag[0].length)
  ) {
    const value = parseGoDuration(flag[2]) ?? 0
    if (flag[1] === 'interval') check.interval = value
    if (flag[1] === 'timeout') check.timeout = value
    if (flag[1] === 'start-period') check.startPeriod = value
    if (flag[1] === 'start-interval') check.startInterval = value
    if (flag[1] === 'retries') check.retries = Number.parseInt(flag[2], 10) || 0
  }
  if (/^NONE$/i.test(rest)) return { ...check, test: ['NONE'] }
  const command = /^CMD\s+([\s\S]*)$/.exec(rest)?.[1]
  if (command === undefined) return null
  const list = command.startsWith('[') ? parseList(command) : null
  if (list) return { ...check, test: ['CMD', ...list] }
  return { ...check, test: ['CMD-SHELL', command] }
}

const nanoseconds: Record<string, number> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 }

/** `1m30s` in nanoseconds; null when it is no duration as Go writes one. */
function parseGoDuration(text: string): number | null {
  if (!/^(?:\d{1,12}(?:\.\d{1,9})?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) return text === '0' ? 0 : null
  let sum = 0
  for (const [, number, unit] of text.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g))
    sum += Number(number) * nanoseconds[unit]
  return Math.round(sum)
}

function formatGoDuration(ns: number): string {
  if (ns % 1e9 !== 0) return `${ns / 1e6}ms`
  const seconds = ns / 1e9
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60]
  return `${h ? `${h}h` : ''}${m ? `${m}m` : ''}${s || seconds === 0 ? `${s}s` : ''}`
}
