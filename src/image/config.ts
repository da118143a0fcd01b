/**
 * The image config (OCI image-spec config.md, Docker image-spec v1.2), read leniently: a field that is missing, null or
 * of the wrong type becomes its default and an anomaly, never a failure. Everything is bounded.
 */
import * as z from 'zod'
import { Fault } from '../base/errors.ts'
import { isDigest } from './digest.ts'
import { normalPlatform } from './platform.ts'
import type { Healthcheck, HistoryLine, ImageConfig, RunConfig } from './types.ts'

/** What a config may hold at most; the rest is cut and told. */
const most = { historyLines: 100_000, layers: 10_000, listItems: 10_000, textLength: 1 << 20 }

/** The config and what was odd in it, as sentences. Throws a Fault only when the value is no JSON object at all. */
export function parseConfig(json: unknown): { config: ImageConfig; anomalies: string[] } {
  if (!isRecord(json)) throw new Fault('The image config is no JSON object.')
  const read = reader()
  const at = (name: string) => fieldOf(json, name)
  const rootfs = read.record(at('rootfs'), 'rootfs')
  if (rootfs === null) read.odd('The config has no rootfs: it names no layers.')
  const config: ImageConfig = {
    platform: normalPlatform({
      os: read.text(at('os'), 'os') || 'linux',
      architecture: read.text(at('architecture'), 'architecture') || 'unknown',
      variant: read.text(at('variant'), 'variant') || null,
    }),
    created: read.text(at('created'), 'created'),
    author: read.text(at('author'), 'author') || null,
    run: readRun(read, read.record(at('config'), 'config')),
    diffIds: readDiffIds(read, rootfs && fieldOf(rootfs, 'diff_ids')),
    history: readHistory(read, at('history')),
    parent: read.text(at('parent'), 'parent') || null,
  }
  return { config, anomalies: read.anomalies() }
}

/**
 * The history line of one `<id>/json` of archives and registries that know no history (Docker before 1.10, schema 1):
 * each of these files describes one layer and says in `container_config` or `config` what made it.
 */
export function historyOfV1(json: unknown): HistoryLine {
  const read = reader()
  const record = read.record(json, 'json') ?? {}
  const container = read.record(fieldOf(record, 'container_config'), 'container_config') ?? {}
  return {
    created: read.text(fieldOf(record, 'created'), 'created'),
    createdBy: read.texts(fieldOf(container, 'Cmd'), 'Cmd')?.join(' ') ?? null,
    comment: read.text(fieldOf(record, 'comment'), 'comment') || null,
    author: read.text(fieldOf(record, 'author'), 'author') || null,
    emptyLayer: fieldOf(record, 'throwaway') === true,
  }
}

/** What a container starts with when nobody says anything. */
export function emptyRun(): RunConfig {
  return {
    env: [],
    workingDir: '',
    user: '',
    entrypoint: null,
    cmd: null,
    exposedPorts: [],
    volumes: [],
    labels: Object.create(null),
    shell: null,
    stopSignal: null,
    healthcheck: null,
    onBuild: [],
  }
}

function readRun(read: Reader, config: Fields | null): RunConfig {
  if (config === null) return emptyRun()
  const at = (name: string) => fieldOf(config, name)
  return {
    env: read.texts(at('Env'), 'Env') ?? [],
    workingDir: read.text(at('WorkingDir'), 'WorkingDir') ?? '',
    user: read.text(at('User'), 'User') ?? '',
    entrypoint: read.texts(at('Entrypoint'), 'Entrypoint'),
    cmd: read.texts(at('Cmd'), 'Cmd'),
    exposedPorts: read.keys(at('ExposedPorts'), 'ExposedPorts'),
    volumes: read.keys(at('Volumes'), 'Volumes'),
    labels: readLabels(read, at('Labels')),
    shell: read.texts(at('Shell'), 'Shell'),
    stopSignal: read.text(at('StopSignal'), 'StopSignal') || null,
    healthcheck: readHealthcheck(read, at('Healthcheck')),
    onBuild: read.texts(at('OnBuild'), 'OnBuild') ?? [],
  }
}

/** Without a prototype, so that a label named `__proto__` is a label like any other. */
function readLabels(read: Reader, value: unknown): Record<string, string> {
  const labels: Record<string, string> = Object.create(null)
  const given = Object.entries(read.record(value, 'Labels') ?? {})
  for (const [name, text] of read.bounded(given, most.listItems, 'Labels')) {
    labels[read.cut(name, 'Labels')] = read.text(text, `Labels.${name.slice(0, 80)}`) ?? ''
  }
  return labels
}

function readHealthcheck(read: Reader, value: unknown): Healthcheck | null {
  const check = read.record(value, 'Healthcheck')
  if (check === null) return null
  const number = (name: string) => read.number(fieldOf(check, name), `Healthcheck.${name}`)
  return {
    test: read.texts(fieldOf(check, 'Test'), 'Healthcheck.Test') ?? [],
    interval: number('Interval'),
    timeout: number('Timeout'),
    startPeriod: number('StartPeriod'),
    startInterval: number('StartInterval'),
    retries: number('Retries'),
  }
}

/** One for each layer, in any case: what is no digest becomes an empty text. */
function readDiffIds(read: Reader, value: unknown): string[] {
  const list = read.list(value, 'rootfs.diff_ids', most.layers)
  return (list ?? []).map((one, layer) => {
    if (typeof one === 'string' && isDigest(one)) return one
    read.odd(`The diffID of layer ${layer} is no digest.`)
    return ''
  })
}

function readHistory(read: Reader, value: unknown): HistoryLine[] {
  return (read.list(value, 'history', most.historyLines) ?? []).map((one, at) => {
    const line = read.record(one, `history[${at}]`) ?? {}
    const text = (name: string) => read.text(fieldOf(line, name), `history[${at}].${name}`)
    return {
      created: text('created'),
      createdBy: text('created_by'),
      comment: text('comment') || null,
      author: text('author') || null,
      emptyLayer: read.flag(fieldOf(line, 'empty_layer'), `history[${at}].empty_layer`),
    }
  })
}

type Fields = Record<string, unknown>
type Reader = ReturnType<typeof reader>

const schemas = {
  text: z.string(),
  record: z.custom<Fields>(isRecord),
  list: z.array(z.unknown()),
  number: z.number().int().min(0),
  flag: z.boolean(),
}

/** Reads single values through zod; what does not fit is noted once and read as absent. */
function reader() {
  const notes: string[] = []
  const odd = (text: string) => {
    if (notes.length < 100) notes.push(text)
    else if (notes.length === 100) notes.push('More of the config is odd; the rest is not listed.')
  }
  const as = <T>(schema: z.ZodType<T>, value: unknown, field: string): T | null => {
    if (value === undefined || value === null) return null
    const result = schema.safeParse(value)
    if (result.success) return result.data
    odd(`The config's ${field} is ${describe(value)}; it is left out.`)
    return null
  }
  const cut = (text: string, field: string) => {
    if (text.length <= most.textLength) return text
    odd(`The config's ${field} has ${text.length} characters; it is cut.`)
    return text.slice(0, most.textLength)
  }
  const bounded = <T>(list: T[], limit: number, field: string): T[] => {
    if (list.length <= limit) return list
    odd(`The config's ${field} has ${list.length} items; only ${limit} are read.`)
    return list.slice(0, limit)
  }
  const text = (value: unknown, field: string) => {
    const read = as(schemas.text, value, field)
    return read === null ? null : cut(read, field)
  }
  const record = (value: unknown, field: string) => as(schemas.record, value, field)
  const list = (value: unknown, field: string, limit: number) => {
    const read = as(schemas.list, value, field)
    return read === null ? null : bounded(read, limit, field)
  }
  /** A list of texts; Docker writes a single text where it means a list of one. Items that are no texts are left out. */
  const texts = (value: unknown, field: string) => {
    const items = list(typeof value === 'string' ? [value] : value, field, most.listItems)
    return items?.map((item, at) => text(item, `${field}[${at}]`)).filter(item => item !== null) ?? null
  }
  /** The names of `{"80/tcp": {}}`; a plain list of names is taken too. */
  const keys = (value: unknown, field: string) => {
    if (Array.isArray(value)) return texts(value, field) ?? []
    return bounded(Object.keys(record(value, field) ?? {}), most.listItems, field).map(key => cut(key, field))
  }
  const number = (value: unknown, field: string) => as(schemas.number, value, field) ?? 0
  const flag = (value: unknown, field: string) => as(schemas.flag, value, field) ?? false
  return { anomalies: () => notes, odd, cut, bounded, text, texts, record, list, keys, number, flag }
}

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A field by its name; in any case of its letters when the exact one is not there, as Go's JSON reader takes it. */
function fieldOf(fields: Fields, name: string): unknown {
  if (Object.hasOwn(fields, name)) return fields[name]
  const lower = name.toLowerCase()
  const key = Object.keys(fields).find(one => one.length === name.length && one.toLowerCase() === lower)
  return key === undefined ? undefined : fields[key]
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'number') return Number.isInteger(value) && value >= 0 ? 'a number' : 'an impossible number'
  return `a ${typeof value === 'string' ? 'text' : typeof value}`
}
