/** Where the rules of `analyze --ci` come from: a file in Strata's or dive's format, and flags, which win. */
import { readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { isMap, LineCounter, parseDocument } from 'yaml'
import * as z from 'zod'
import { asFault, Fault } from '../base/errors.ts'
import { parseBytes } from '../base/sizes.ts'
import { safe } from '../base/text.ts'
import { defaultRules, type Rules } from './ci-rules.ts'
import type { Options } from './program.ts'
import { usage } from './usage.ts'

const ownNames = ['.strata-ci.yaml', '.strata-ci.yml']
const diveName = '.dive-ci'

/** The rules that hold: of the file, else of a file in the working directory, else dive's defaults; then the flags. */
export async function readRules(options: Options): Promise<Rules> {
  const file = typeof options.rules === 'string' ? options.rules : await nearbyFile()
  return withFlags(file === null ? defaultRules : await readRulesFile(file), options)
}

/** Reads a file in either format, told apart by its content: dive's has everything below `rules`. */
export async function readRulesFile(path: string): Promise<Rules> {
  let text: string
  try {
    if ((await stat(path)).size > 1_000_000) throw new Fault('it is larger than 1 MB')
    text = await readFile(path, 'utf8')
  } catch (error) {
    const fault = asFault(error, `The rules in ${safe(path)} can not be read`)
    throw usage(fault.message, fault.hint)
  }
  return parseRules(text, path)
}

/** The same from the file's text. Throws a Fault (exit code 2) that names line and field of what makes no sense. */
export function parseRules(text: string, path: string): Rules {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  const where = (offset: number | undefined) =>
    offset === undefined ? safe(path) : `${safe(path)}, line ${lines.linePos(offset).line}`
  const error = document.errors[0]
  if (error) throw usage(`${where(error.pos[0])}: ${safe(error.message)}.`)
  const content = document.contents === null ? {} : toPlain(document, path)
  const dive = basename(path) === diveName || (isMap(document.contents) && document.contents.has('rules'))
  const schema: z.ZodType<RulesFile> = dive ? diveFile : ownFile
  const result = schema.safeParse(content)
  if (result.success) return { ...result.data, from: path }
  const issue = result.error.issues[0]
  const keys = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0]] : issue.path
  const at = keys.join('.')
  const message = issue.code === 'unrecognized_keys' ? 'there is no such rule' : issue.message
  throw usage(`${where(offsetOf(document.contents, keys))}: ${at ? `${safe(at)}: ` : ''}${safe(message)}.`, hint)
}

const hint = `The rules are ${['lowest-efficiency', 'highest-wasted-bytes', 'highest-user-wasted-percent', 'biggest-layer', 'forbidden-paths'].join(', ')}.`

type RulesFile = Omit<Rules, 'from'>

const share = limit('a share: write 0.95, 95% or disabled', text => {
  const match = /^(\d+(?:\.\d+)?|\.\d+)\s*(%?)$/.exec(text)
  const value = match ? Number(match[1]) / (match[2] ? 100 : 1) : Number.NaN
  return value >= 0 && value <= 1 ? value : null
})

const size = limit('a size: write 20MB, 1.5GiB, a number of bytes or disabled', parseBytes)

/** A number, or a text that `parse` understands; `disabled`, `off`, `false` and nothing are no limit. */
function limit(what: string, parse: (text: string) => number | null) {
  return z
    .any()
    .transform((value, context): number | null => {
      const text = typeof value === 'number' || typeof value === 'string' ? String(value).trim() : null
      if (value === false || value === null || value === undefined) return null
      if (text !== null && /^(?:disabled|off|false|)$/i.test(text)) return null
      const parsed = text === null ? null : parse(text)
      if (parsed === null) context.addIssue({ code: 'custom', message: `“${shown(value)}” is not ${what}` })
      return parsed
    })
    .optional()
}

function shown(value: unknown): string {
  return (typeof value === 'object' ? JSON.stringify(value) : String(value)).slice(0, 40)
}

const paths = z.array(z.string({ error: 'write a list of patterns' }), { error: 'write a list of patterns' }).optional()

const named = z.strictObject(
  {
    'lowest-efficiency': share,
    'highest-wasted-bytes': size,
    'highest-user-wasted-percent': share,
    'biggest-layer': size,
    'forbidden-paths': paths,
  },
  { error: issue => (issue.code === 'invalid_type' ? 'write one rule a line, as name: value' : undefined) },
)

/** Only what is written is checked. */
const ownFile = z.preprocess(hyphenated, named).transform(
  (file): RulesFile => ({
    numbers: 'strata',
    lowestEfficiency: file['lowest-efficiency'] ?? null,
    highestWastedBytes: file['highest-wasted-bytes'] ?? null,
    highestUserWastedPercent: file['highest-user-wasted-percent'] ?? null,
    biggestLayer: file['biggest-layer'] ?? null,
    forbiddenPaths: file['forbidden-paths'] ?? [],
  }),
)

/** What is not written has dive's default. */
const diveFile = z
  .strictObject(
    { rules: z.preprocess(hyphenated, named.nullish()) },
    { error: issue => (issue.code === 'invalid_type' ? 'dive’s rules stand below “rules:”' : undefined) },
  )
  .transform((file): RulesFile => {
    const rules = file.rules ?? {}
    const or = (key: keyof typeof rules, fallback: number | null) =>
      rules[key] === undefined ? fallback : (rules[key] as number | null)
    return {
      numbers: 'dive',
      lowestEfficiency: or('lowest-efficiency', defaultRules.lowestEfficiency),
      highestWastedBytes: or('highest-wasted-bytes', defaultRules.highestWastedBytes),
      highestUserWastedPercent: or('highest-user-wasted-percent', defaultRules.highestUserWastedPercent),
      biggestLayer: rules['biggest-layer'] ?? null,
      forbiddenPaths: rules['forbidden-paths'] ?? [],
    }
  })

/** `lowestEfficiency` is `lowest-efficiency`: dive takes both, and so do we. */
function hyphenated(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [hyphens(key), one]))
}

function hyphens(key: string): string {
  return /^[a-z]+(?:[A-Z][a-z]+)+$/.test(key) ? key.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`) : key
}

function withFlags(rules: Rules, options: Options): Rules {
  const number = (flag: string, schema: typeof share, before: number | null) => {
    if (options[flag] === undefined) return before
    const result = schema.safeParse(options[flag])
    if (result.success) return result.data ?? null
    const name = flag.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
    throw usage(`--${name}: ${safe(result.error.issues[0].message)}.`)
  }
  return {
    ...rules,
    lowestEfficiency: number('lowestEfficiency', share, rules.lowestEfficiency),
    highestWastedBytes: number('highestWastedBytes', size, rules.highestWastedBytes),
    highestUserWastedPercent: number('highestUserWastedPercent', share, rules.highestUserWastedPercent),
    biggestLayer: number('biggestLayer', size, rules.biggestLayer),
    forbiddenPaths: [...rules.forbiddenPaths, ...((options.forbid as string[] | undefined) ?? [])],
  }
}

function toPlain(document: ReturnType<typeof parseDocument>, path: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 20 })
  } catch (error) {
    const fault = asFault(error, safe(path))
    throw usage(fault.message)
  }
}

/** Where in the text the thing at these keys stands, either spelling; undefined when it is not there. */
function offsetOf(node: unknown, keys: PropertyKey[]): number | undefined {
  let offset: number | undefined
  for (const key of keys) {
    const items = (node as { items?: unknown[] } | null)?.items ?? []
    const pair =
      typeof key === 'number'
        ? items[key]
        : items.find(
            item => hyphens(String((item as { key?: { value?: unknown } }).key?.value)) === hyphens(String(key)),
          )
    if (pair === undefined) break
    const { key: name, value, range } = pair as { key?: Ranged; value?: unknown; range?: number[] }
    offset = name?.range?.[0] ?? range?.[0] ?? offset
    node = typeof key === 'number' ? pair : value
  }
  return offset
}

interface Ranged {
  range?: number[]
}

async function nearbyFile(): Promise<string | null> {
  for (const name of [...ownNames, diveName]) {
    const found = await stat(join(process.cwd(), name)).catch(() => null)
    if (found?.isFile()) return name
  }
  return null
}
