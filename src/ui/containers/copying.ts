/** Files out of a container and into it: two paths, each completed on its own side. */

import { handWords } from '../../actions/by-hand.ts'
import { expandHome } from '../../actions/complete-path.ts'
import type { Copying } from '../../actions/containers-service.ts'
import { shellLine } from '../../base/shell-words.ts'
import { safe } from '../../base/text.ts'
import type { Container, ContainerEngine } from '../../engine/containers.ts'
import type { Ui } from '../ui.ts'
import type { FormField, FormValues } from '../widgets/form-state.ts'

/** Asks for both, copies with its progress, and says what came of it. */
export async function copyFiles(ui: Ui, engine: ContainerEngine, container: Container): Promise<void> {
  const { containers, journal } = ui.services
  const { id, name, state } = container
  const known = new Map<string, Promise<string[]>>()
  const inside = async (text: string): Promise<string[]> => {
    const folder = text.startsWith('/') ? text.slice(0, text.lastIndexOf('/') + 1) : '/'
    const running = state === 'running'
    const names = known.get(folder) ?? containers.namesInside(engine, { id, name, running }, folder)
    known.set(folder, names)
    names.catch(() => known.delete(folder))
    return (await names).map(one => folder + one).filter(one => one.startsWith(text))
  }
  const answer = await ui.form({
    title: `Copy files of ${safe(name)}`,
    fields: values => fieldsOf(values, safe(name), inside, ui.services.completePath),
    buttons: ['copy'],
    at: 'inside',
    command: values => safe(shellLine(commandOf(engine, name, copyingOf(values)))),
  })
  if (!answer) return
  const how = copyingOf(answer.values)
  const what = how.out ? `copied ${how.inside} out of ${name}` : `copied ${how.here} into ${name}`
  const deed = { what, engine: engine.id, command: commandOf(engine, name, how) }
  const done = await ui.work(`Copying ${safe(how.out ? how.inside : how.here)}`, async work => {
    await journal.record(deed, () => containers.copy(engine, id, how, work))
    return true
  })
  if (done) ui.toast(`${what} to ${how.out ? how.here : how.inside}`)
}

function fieldsOf(
  values: FormValues,
  name: string,
  inside: (text: string) => Promise<string[]>,
  here: (text: string) => Promise<readonly string[]>,
): FormField[] {
  const out = isOut(values)
  const within: FormField = {
    key: 'inside',
    label: `in ${name}`.slice(0, 18),
    kind: 'text',
    placeholder: '/path',
    help: out
      ? 'What is copied; a directory with all that is in it, with /. at its end only what is in it.'
      : 'Where it goes: into a directory that is there, else it gets this name.',
    check: text => (text.trim().startsWith('/') ? null : 'It is a path that begins with /; tab completes.'),
    complete: inside,
  }
  const outside: FormField = {
    key: 'here',
    label: 'on this machine',
    kind: 'text',
    value: './',
    help: out
      ? 'Where it goes: into a directory that is there, else it gets this name.'
      : 'What is copied; a directory with all that is in it, with /. at its end only what is in it.',
    check: text => (text.trim() === '' ? 'It needs a path.' : null),
    complete: here,
  }
  return [
    {
      key: 'direction',
      label: 'direction',
      kind: 'choice',
      choices: [OUT, 'into it'],
      help: 'Which way: ← and → choose.',
    },
    ...(out ? [within, outside] : [outside, within]),
    {
      key: 'follow',
      label: 'follow links',
      kind: 'flag',
      help: 'What a link leads to is copied in place of the link.',
    },
    {
      key: 'owners',
      label: 'owners',
      kind: 'flag',
      help: 'Numbers of owners are kept; without it what is copied out is yours.',
      why: out ? null : 'they are kept',
    },
  ]
}

const OUT = 'out of it'

function isOut(values: FormValues): boolean {
  return (values.direction ?? OUT) === OUT
}

function copyingOf(values: FormValues): Copying {
  const text = (key: string) => String(values[key] ?? '').trim()
  const out = isOut(values)
  return {
    out,
    inside: text('inside'),
    here: expandHome(text('here')),
    owners: out && values.owners === true,
    followLink: values.follow === true,
  }
}

function commandOf(
  engine: ContainerEngine,
  name: string,
  { out, inside, here, owners, followLink }: Copying,
): string[] {
  // A path that is none of a container begins with a dot or a slash.
  const own = /^[./~]/.test(here) ? here : `./${here}`
  const there = `${name}:${inside}`
  const flags = [...(followLink ? ['-L'] : []), ...(owners ? ['-a'] : [])]
  return [...handWords(engine), 'cp', ...flags, ...(out ? [there, own] : [own, there])]
}
