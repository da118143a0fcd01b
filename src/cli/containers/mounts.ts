/** `--mount` in docker's grammar, with docker's words for what is wrong. Pure but for the working directory. */
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import type { MountSpec } from '../../engine/containers.ts'

/** `type=bind,source=/a,target=/b,readonly`; a volume where no type is said. Throws a Fault (exit code 125). */
export function readMount(text: string): MountSpec {
  const wrong = (what: string) => new Fault(`Invalid --mount “${safe(text)}”: ${safe(what)}.`, { exitCode: 125 })
  const mount: MountSpec = { type: 'volume', source: '', target: '', readOnly: false }
  let type = 'volume'
  const bind = () => (mount.bind ??= {})
  const volume = () => (mount.volume ??= {})
  const tmpfs = () => (mount.tmpfs ??= {})
  for (const field of fieldsOf(text)) {
    const equals = field.indexOf('=')
    const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase()
    const value = equals < 0 ? null : field.slice(equals + 1)
    const flag = () => {
      const read = value === null ? true : boolean(value)
      if (read === null) throw wrong(`invalid value for ${key}: ${value}`)
      return read
    }
    if (value === null && !flags.has(key)) throw wrong(`invalid field '${field}' must be a key=value pair`)
    switch (key) {
      case 'type':
        type = value!.toLowerCase()
        break
      case 'source':
      case 'src':
        mount.source = value!
        break
      case 'target':
      case 'dst':
      case 'destination':
        mount.target = value!
        break
      case 'readonly':
      case 'ro':
        mount.readOnly = flag()
        break
      case 'consistency':
        break
      case 'bind-propagation':
        bind().propagation = value!.toLowerCase()
        break
      case 'bind-nonrecursive':
        bind().nonRecursive = flag()
        break
      case 'volume-nocopy':
        volume().noCopy = flag()
        break
      case 'volume-label':
        volume().labels = { ...volume().labels, ...Object.fromEntries([pair(value!)]) }
        break
      case 'volume-driver':
        volume().driver = value!
        break
      case 'volume-opt':
        volume().options = { ...volume().options, ...Object.fromEntries([pair(value!)]) }
        break
      case 'tmpfs-size': {
        const size = sizeOf(value!)
        if (size === null) throw wrong(`invalid value for tmpfs-size: ${value}`)
        tmpfs().size = size
        break
      }
      case 'tmpfs-mode':
        if (!/^[0-7]{1,8}$/.test(value!)) throw wrong(`invalid value for tmpfs-mode: ${value}`)
        tmpfs().mode = Number.parseInt(value!, 8)
        break
      default:
        throw wrong(`unexpected key '${key}' in '${field}'`)
    }
  }
  if (type === '') throw wrong('type is required')
  if (mount.target === '') throw wrong('target is required')
  for (const kind of ['volume', 'bind', 'tmpfs'] as const)
    if (mount[kind] && type !== kind) throw wrong(`cannot mix '${kind}-*' options with mount type '${type}'`)
  return checked({ ...mount, type: type as MountSpec['type'] }, type, wrong)
}

/** What docker's daemon says. */
function checked(mount: MountSpec, type: string, wrong: (what: string) => Fault): MountSpec {
  if (type !== 'bind' && type !== 'volume' && type !== 'tmpfs')
    throw wrong(`invalid mount config for type "${type}": mount type unknown`)
  const config = (what: string) => wrong(`invalid mount config for type "${type}": ${what}`)
  if (!mount.target.startsWith('/')) throw config(`invalid mount path: '${mount.target}' mount path must be absolute`)
  if (/^\/[/.]*$/.test(mount.target)) throw config("invalid specification: destination can't be '/'")
  if (type === 'tmpfs' && mount.source !== '') throw config('field Source must not be specified')
  if (type !== 'bind') return mount
  if (mount.source === '') throw config('field Source must not be empty')
  if (!mount.source.startsWith('/')) throw config(`invalid mount path: '${mount.source}' mount path must be absolute`)
  const { propagation } = mount.bind ?? {}
  if (propagation && !/^r?(private|slave|shared)$/.test(propagation))
    throw config(`invalid propagation mode: ${propagation}`)
  return mount
}

const flags = new Set(['readonly', 'ro', 'volume-nocopy', 'bind-nonrecursive'])

/** Fields of a line of CSV: what stands in quotes may have commas, a doubled quote is one. */
function fieldsOf(text: string): string[] {
  const fields = ['']
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const sign = text[at]
    if (sign === '"' && (quoted || fields[fields.length - 1] === '')) {
      if (quoted && text[at + 1] === '"') {
        fields[fields.length - 1] += '"'
        at++
      } else quoted = !quoted
    } else if (sign === ',' && !quoted) fields.push('')
    else fields[fields.length - 1] += sign
  }
  return fields
}

/** As Go reads one. */
function boolean(text: string): boolean | null {
  if (/^(1|t|T|true|TRUE|True)$/.test(text)) return true
  return /^(0|f|F|false|FALSE|False)$/.test(text) ? false : null
}

export function pair(text: string): [string, string] {
  const equals = text.indexOf('=')
  return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)]
}

/** As docker reads sizes of memory: units are powers of 1024. null for what is none. */
export function sizeOf(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?$/i.exec(text.trim())
  if (!match) return null
  return Math.round(Number(match[1]) * 1024 ** Math.max(0, 'bkmgt'.indexOf(match[2].toLowerCase() || 'b')))
}
