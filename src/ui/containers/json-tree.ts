/** A JSON value as rows that fold: flattened once, bounded, each with the way to it. Pure. */
import { safe } from '../../base/text.ts'

export interface Node {
  depth: number
  /** As it is written before its value: `Env`, `[3]`; '' for the whole. */
  key: string
  /** Of a value that has nothing in it; of others what they are: `{ 3 keys }`. */
  text: string
  /** Index of the row that it is in; -1 for the whole. */
  parent: number
  /** One more than the index of the last row in it. */
  end: number
  kind: 'string' | 'other' | 'object' | 'array'
  /** Where it is in the value, for `jq`. */
  path: readonly (string | number)[]
  /** The value itself; undefined for the row that says that there is more. */
  value: unknown
  /** What it is instead while nobody asked for it; null: it is no secret. */
  masked: string | null
}

/** Rows of one value, how deep they go, and characters of one that are shown. */
const MOST_ROWS = 50_000
const DEEPEST = 64
const LONGEST = 8_192

/** The rows of a value. `mask` says what of a text is to be seen, null for all of it; it is given the key that it is under. */
export function flatten(value: unknown, mask: (text: string, key: string) => string | null): Node[] {
  const nodes: Node[] = []
  const add = (one: unknown, key: string, path: readonly (string | number)[], parent: number, under: string) => {
    const isArray = Array.isArray(one)
    const isObject = typeof one === 'object' && one !== null && !isArray
    const at = nodes.length
    const hidden = typeof one === 'string' ? mask(one, under) : null
    const node: Node = {
      depth: path.length,
      key: safe(key),
      text: isObject || isArray ? '' : scalar(one),
      parent,
      end: at + 1,
      kind: isObject ? 'object' : isArray ? 'array' : typeof one === 'string' ? 'string' : 'other',
      path,
      value: one,
      masked: hidden === null ? null : scalar(hidden),
    }
    nodes.push(node)
    if (!isObject && !isArray) return
    const names = isArray ? one.length : Object.keys(one as object).length
    const what = isArray ? `item${names === 1 ? '' : 's'}` : `key${names === 1 ? '' : 's'}`
    node.text = names === 0 ? (isArray ? '[]' : '{}') : isArray ? `[ ${names} ${what} ]` : `{ ${names} ${what} }`
    if (path.length >= DEEPEST) return
    if (isArray) {
      for (let index = 0; index < one.length && nodes.length < MOST_ROWS; index++)
        add(one[index], `[${index}]`, [...path, index], at, under)
    } else {
      for (const name of Object.keys(one as object)) {
        if (nodes.length >= MOST_ROWS) break
        add((one as Record<string, unknown>)[name], name, [...path, name], at, name)
      }
    }
    node.end = nodes.length
  }
  add(value, '', [], -1, '')
  if (nodes.length >= MOST_ROWS)
    nodes.push({
      depth: 1,
      key: '',
      text: '…',
      parent: 0,
      end: nodes.length + 1,
      kind: 'other',
      path: [],
      value: undefined,
      masked: null,
    })
  nodes[0]!.end = nodes.length
  return nodes
}

/** The indexes of the rows that are shown: the whole itself is none, and nothing within what is closed. */
export function unfolded(nodes: readonly Node[], closed: ReadonlySet<number>): number[] {
  const shown: number[] = []
  const hasRows = nodes[0]!.end > 1
  for (let at = hasRows ? 1 : 0; at < nodes.length; ) {
    shown.push(at)
    at = closed.has(at) ? nodes[at]!.end : at + 1
  }
  return shown
}

/** Whether there is something in it. */
export function folds(node: Node, at: number): boolean {
  return node.end > at + 1
}

/** As `jq` takes it: `.Config.Env[3]`, `.Config.Labels["com.example.x"]`. */
export function jqPath(path: readonly (string | number)[]): string {
  if (path.length === 0) return '.'
  const parts = path.map(part => {
    if (typeof part === 'number') return `[${part}]`
    return /^[A-Za-z_]\w*$/.test(part) ? `.${part}` : `[${JSON.stringify(part)}]`
  })
  return `${parts[0]!.startsWith('[') ? '.' : ''}${parts.join('')}`
}

function scalar(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
  const some = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
  return typeof value === 'string'
    ? `"${safe(some.replaceAll('"', '\\"').replaceAll('\n', '\\n').replaceAll('\t', '\\t'))}"`
    : safe(some)
}
