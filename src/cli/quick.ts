/**
 * The short way for verbs of containers: `run` and `exec` are over in a few milliseconds, less than commander takes to
 * load. What is plain is read here, by the same table; anything else (help, an unknown flag, a value too few) goes to
 * commander, which has the sentences.
 */
import type { VerbData } from './containers/verbs.ts'
import { containerVerbs } from './containers/verbs.ts'
import type { Io } from './output.ts'
import type { Options } from './program.ts'

/** Runs the command line where it is a plain one of a container's verb, and gives the exit code; null for all others. */
export async function runQuick(args: readonly string[], io: Io): Promise<number | null> {
  const verb = containerVerbs.find(one => one.name === args[0])
  const read = verb && readPlain(verb, args.slice(1))
  if (!verb || !read) return null
  const code = await (await verb.load())(io, read.values, read.options, [])
  return code ?? 0
}

/** Options of every verb of containers. */
export const engineFlags = [
  ['--engine <NAME>', 'native, docker, podman, or the name of one of several'],
  ['--context <NAME>', 'the Docker context to use'],
] as const

/** Values and options as commander would give them; null when it is not plain. */
export function readPlain(verb: VerbData, args: readonly string[]): { values: string[]; options: Options } | null {
  const flags = flagsOf(verb)
  const options: Options = {}
  const values: string[] = []
  let at = 0
  const take = (flag: Known, joined: string | undefined): boolean => {
    const value = flag.takes ? (joined ?? args[++at]) : flag.value
    if (value === undefined || (!flag.takes && joined !== undefined)) return false
    options[flag.key] = flag.many ? [...((options[flag.key] as string[]) ?? []), String(value)] : value
    return true
  }
  for (; at < args.length; at++) {
    const word = args[at]
    if (word === '--') {
      values.push(...args.slice(at + 1))
      break
    }
    if (word === '-' || !word.startsWith('-')) {
      if (verb.command) {
        values.push(...args.slice(at))
        break
      }
      values.push(word)
    } else if (word.startsWith('--')) {
      const equals = word.indexOf('=')
      const flag = flags.get(equals < 0 ? word : word.slice(0, equals))
      if (!flag || !take(flag, equals < 0 ? undefined : word.slice(equals + 1))) return null
    } else if (!takeLetters(word, flags, take)) return null
  }
  return enough(verb, values) ? { values, options } : null
}

interface Known {
  key: string
  takes: boolean
  many: boolean
  value: boolean
}

const known = new WeakMap<VerbData, Map<string, Known>>()

function flagsOf(verb: VerbData): Map<string, Known> {
  const made = known.get(verb)
  if (made) return made
  const flags = new Map<string, Known>()
  for (const [text, , many] of [...verb.flags, ...engineFlags]) {
    const names = text.replace(/ <.*$/, '').split(', ')
    const long = names[names.length - 1]
    const value = !long.startsWith('--no-')
    const key = (value ? long.slice(2) : long.slice(5)).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
    const flag = { key, takes: text.includes('<'), many: many !== undefined, value }
    for (const name of names) flags.set(name, flag)
  }
  known.set(verb, flags)
  return flags
}

/** `-it`, `-eA=1`, `-e A=1`. */
function takeLetters(
  word: string,
  flags: Map<string, Known>,
  take: (flag: Known, joined: string | undefined) => boolean,
): boolean {
  for (let at = 1; at < word.length; at++) {
    const flag = flags.get(`-${word[at]}`)
    if (!flag) return false
    if (flag.takes) return take(flag, at + 1 < word.length ? word.slice(at + 1) : undefined)
    take(flag, undefined)
  }
  return true
}

function enough({ values: usage }: VerbData, values: string[]): boolean {
  const places = usage === '' ? [] : usage.split(' ')
  const needed = places.filter(place => place.startsWith('<')).length
  const most = places.some(place => place.includes('...')) ? Number.POSITIVE_INFINITY : places.length
  return values.length >= needed && values.length <= most
}
