/** `ps --filter`, as docker has it. Pure. */
import { safe } from '../../base/text.ts'
import type { Container } from '../../engine/containers.ts'
import { usage } from '../usage.ts'

export interface Filter {
  (container: Container): boolean
  /** It asks for containers that do not run. */
  wantsAll: boolean
}

/** Of one kind any may hold, of every kind one must. Throws a Fault (exit code 2) for a kind that is none. */
export function filterOf(texts: readonly string[]): Filter {
  const kinds = new Map<string, ((one: Container) => boolean)[]>()
  for (const text of texts) {
    const equals = text.indexOf('=')
    const kind = equals < 0 ? text : text.slice(0, equals)
    const value = equals < 0 ? '' : text.slice(equals + 1)
    const tests = kinds.get(kind) ?? []
    tests.push(test(kind, value))
    kinds.set(kind, tests)
  }
  const groups = [...kinds.values()]
  const every = (one: Container) => groups.every(tests => tests.some(holds => holds(one)))
  return Object.assign(every, { wantsAll: kinds.has('status') || kinds.has('exited') })
}

function test(kind: string, value: string): (one: Container) => boolean {
  switch (kind) {
    case 'name': {
      const matches = pattern(value.replace(/^\//, ''))
      return one => matches(one.name)
    }
    case 'id':
      return one => one.id.startsWith(value)
    case 'status':
      return one => one.state === value
    case 'health':
      return one => (one.health ?? 'none') === value
    case 'exited':
      return one => one.state === 'exited' && String(one.exitCode ?? codeIn(one.status)) === value
    case 'label': {
      const equals = value.indexOf('=')
      const [key, wanted] = equals < 0 ? [value, null] : [value.slice(0, equals), value.slice(equals + 1)]
      return one => Object.hasOwn(one.labels, key) && (wanted === null || one.labels[key] === wanted)
    }
    case 'ancestor': {
      const named = value.includes(':') || value.includes('@') ? value : `${value}:latest`
      const hex = value.replace(/^sha256:/, '')
      return one =>
        one.image === value ||
        one.image === named ||
        `${one.image}:latest` === named ||
        (/^[0-9a-f]{6,64}$/.test(hex) && one.imageId?.slice(7).startsWith(hex) === true)
    }
    default:
      throw usage(
        `There is no filter “${safe(kind)}”.`,
        'Filters are name, id, status, health, exited, label, ancestor: --filter name=web',
      )
  }
}

/** A regular expression, as docker takes it; what is none means itself. */
function pattern(text: string): (name: string) => boolean {
  if (text.length > 256) return () => false
  if (!/[\\^$.*+?()[\]{}|]/.test(text)) return name => name.includes(text)
  // Nothing that could take for ever: no group that is repeated.
  if (/\)[*+{]/.test(text)) return name => name.includes(text)
  try {
    const expression = new RegExp(text)
    return name => expression.test(name)
  } catch {
    return name => name.includes(text)
  }
}

/** Engines tell the exit code in a list only in words. */
function codeIn(status: string): string | null {
  return /\((\d+)\)/.exec(status)?.[1] ?? null
}
