/** The fields of a new container, as they are with an engine and an image: what each means, what is wrong, what is not to be had. */
import { Fault } from '../../base/errors.ts'
import { shellLine, splitLine } from '../../base/shell-words.ts'
import { safe } from '../../base/text.ts'
import type { ContainerEngine, ContainerSpec } from '../../engine/containers.ts'
import type { RunConfig } from '../../image/types.ts'
import type { FormField, FormValues } from '../widgets/form-state.ts'
import { specOf, wantsShell } from './new-spec.ts'

/** What is known of the place where it is made. */
export interface Around {
  engines: readonly ContainerEngine[]
  /** The one that is chosen at first. */
  first: string
  /** What an image starts with: undefined while nobody has said; null: it is not there. */
  run(engine: ContainerEngine, image: string): RunConfig | null | undefined
  /** Whether a container of the engine is called so. */
  taken(engine: string, name: string): boolean
  images(engine: string): Promise<readonly string[]>
  completePath(text: string): Promise<readonly string[]>
  /** The image that was asked for; null: it is to be said. */
  image: string | null
}

export function engineOf({ engines, first }: Around, values: FormValues): ContainerEngine | undefined {
  return engines.find(one => one.id === (values.engine ?? first)) ?? engines[0]
}

export function fieldsOf(around: Around, values: FormValues): FormField[] {
  const engine = engineOf(around, values)
  const image = String(values.image ?? around.image ?? '').trim()
  const run = engine && image !== '' ? around.run(engine, image) : undefined
  const can = engine?.containers.capabilities
  const lacking = (does: string, has: boolean | undefined) =>
    has === false ? `${safe(engine?.id ?? '')} ${does}` : null
  const restarts = String(values.restart ?? 'no') !== 'no'
  const wish = (spec: Partial<ContainerSpec>) => problemWith(engine, { image: 'x', ...spec })
  return [
    {
      key: 'engine',
      label: 'engine',
      kind: 'choice',
      value: around.first,
      choices: around.engines.map(one => safe(one.id)),
      help: 'Where it runs: ← and → choose.',
    },
    {
      key: 'image',
      label: 'image',
      kind: 'text',
      value: around.image ?? '',
      placeholder: 'NAME:TAG, tab completes',
      help: run === undefined && image !== '' ? 'Looking at the image …' : 'What it is made of.',
      check: text => imageProblem(text.trim(), run, engine),
      complete: async text => (await around.images(engine?.id ?? '')).filter(name => name.startsWith(text)),
    },
    {
      key: 'name',
      label: 'name',
      kind: 'text',
      placeholder: 'some name is found',
      help: 'What it is called: letters, digits, dots, dashes and underscores.',
      check: text => nameProblem(text, name => around.taken(engine?.id ?? '', name)),
    },
    {
      key: 'command',
      label: 'command',
      kind: 'text',
      placeholder: run ? safe(shellLine(run.cmd ?? [])) : '',
      help: commandHelp(String(values.command ?? ''), run ?? null),
      check: text => commandProblem(text, run ?? null),
    },
    {
      key: 'env',
      label: 'environment',
      kind: 'lines',
      placeholder: 'NAME=value',
      help: listed(
        'The image sets',
        run?.env.map(one => one.split('=')[0]!),
        'NAME=value; enter for one more.',
      ),
      check: text => (/^[^=\s][^=]*=/.test(text) ? null : 'A variable is written NAME=value.'),
    },
    {
      key: 'ports',
      label: 'ports',
      kind: 'lines',
      placeholder: firstPort(run),
      help: listed('The image listens on', run?.exposedPorts, '8080:80, 127.0.0.1:8080:80 or 5353:53/udp.'),
      why: lacking('publishes no ports', can?.ports),
      check: text => wish({ publish: [text.trim()] }),
    },
    {
      key: 'volumes',
      label: 'volumes',
      kind: 'lines',
      placeholder: run?.volumes[0] ? `NAME:${safe(run.volumes[0])}` : '/here:/there',
      help: listed('The image keeps its data in', run?.volumes, '/here:/there, NAME:/there; :ro for reading only.'),
      check: text => wish({ volumes: specOf({ volumes: [text] }, 'x').volumes }),
      complete: async text => (/^[~/]/.test(text) && !text.includes(':') ? around.completePath(text) : []),
    },
    {
      key: 'user',
      label: 'user',
      kind: 'text',
      placeholder: run ? safe(run.user || 'root') : '',
      help: 'A name or a number, with a group if need be: 1000:1000.',
      check: text => (/^[^\s:]*(?::[^\s:]+)?$/.test(text.trim()) ? null : 'It is USER or USER:GROUP.'),
    },
    {
      key: 'workdir',
      label: 'directory',
      kind: 'text',
      placeholder: run ? safe(run.workingDir || '/') : '',
      help: 'Where the command starts.',
      check: text => (text.trim() === '' || text.trim().startsWith('/') ? null : 'It is a path that begins with /.'),
    },
    networkField(engine, wish),
    {
      key: 'restart',
      label: 'restart',
      kind: 'choice',
      choices: ['no', 'on-failure', 'always', 'unless-stopped'],
      help: 'Whether it is started again when it has ended.',
      why: lacking('starts nothing again by itself', can?.restartPolicies),
    },
    {
      key: 'tty',
      label: 'terminal',
      kind: 'flag',
      help: 'It gets this terminal at once; ctrl-p ctrl-q comes back, and it goes on.',
    },
    {
      key: 'rm',
      label: 'remove',
      kind: 'flag',
      help: 'It is removed with all that it wrote as soon as it has ended.',
      why: restarts && can?.restartPolicies !== false ? 'it is started again instead' : null,
    },
  ]
}

function networkField(
  engine: ContainerEngine | undefined,
  wish: (spec: Partial<ContainerSpec>) => string | null,
): FormField {
  const networks = engine?.containers.capabilities.networks ?? 'any'
  const known = networks === 'any' ? ['bridge', 'host', 'none'] : networks
  return {
    key: 'network',
    label: 'network',
    kind: 'text',
    placeholder: safe(known[0] ?? ''),
    help: `${known.map(safe).join(', ')}${networks === 'any' ? ', or a network’s name' : ''}.`,
    check: text =>
      text.trim() === '' ? null : /\s/.test(text.trim()) ? 'A name has no spaces.' : wish({ network: text.trim() }),
    complete: text => known.filter(name => name.startsWith(text)),
  }
}

/** What an engine has against a wish, as one line; null for nothing. */
function problemWith(engine: ContainerEngine | undefined, spec: ContainerSpec): string | null {
  try {
    engine?.check?.(spec)
    return null
  } catch (error) {
    if (error instanceof Fault) return safe([error.message, error.hint].filter(Boolean).join(' '))
    throw error
  }
}

function imageProblem(
  text: string,
  run: RunConfig | null | undefined,
  engine: ContainerEngine | undefined,
): string | null {
  if (text === '') return 'It needs an image.'
  if (/\s/.test(text)) return 'The name of an image has no spaces.'
  return run === null ? `${safe(engine?.id ?? '')} has no image ${safe(text)}.` : null
}

function nameProblem(text: string, taken: (name: string) => boolean): string | null {
  const name = text.trim()
  if (name === '') return null
  if (!/^[a-zA-Z\d][\w.-]{1,127}$/.test(name))
    return 'It is two or more letters, digits, dots, dashes and underscores, a letter or a digit first.'
  return taken(name) ? `There is a container ${name} already.` : null
}

function commandProblem(text: string, run: RunConfig | null): string | null {
  const none = run !== null && !run.cmd?.length && !run.entrypoint?.length
  if (text.trim() === '') return none ? 'The image names no command: say one.' : null
  return splitLine(text).problem
}

function commandHelp(text: string, run: RunConfig | null): string {
  if (wantsShell(text)) return 'There is no shell in between: write sh -c ‘…’ for one.'.replace('‘…’', "'…'")
  const before = run?.entrypoint?.length ? `Goes to ${safe(shellLine(run.entrypoint))}. ` : ''
  return `${before}Words as in a shell; quotes keep them together.`
}

function firstPort(run: RunConfig | null | undefined): string {
  const port = run?.exposedPorts[0]?.replace(/\/tcp$/, '')
  return port === undefined ? '8080:80' : safe(`${port.split('/')[0]}:${port}`)
}

/** `The image sets PATH, A and 3 more. …` */
function listed(before: string, names: readonly string[] | undefined, after: string): string {
  if (!names?.length) return after
  const shown = names.slice(0, 4).map(safe).join(', ')
  return `${before} ${shown}${names.length > 4 ? ` and ${names.length - 4} more` : ''}. ${after}`
}
