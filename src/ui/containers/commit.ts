/** An image of what a container has made of its own: what it is to be called, the doing, and the way to the new image. */

import { commitLine, type Hand } from '../../actions/by-hand.ts'
import { Fault } from '../../base/errors.ts'
import { shellLine } from '../../base/shell-words.ts'
import { safe } from '../../base/text.ts'
import type { CommitSpec, Container, ContainerEngine } from '../../engine/containers.ts'
import { parseImageName } from '../../image/image-name.ts'
import type { Digest } from '../../image/types.ts'
import type { Ui } from '../ui.ts'
import type { FormField, FormValues } from '../widgets/form-state.ts'

/**
 * Asks for a name and the rest, commits, and offers the new image to the Explorer. `engine` is a connection, or the id of
 * an engine that is reached for it (null: whichever has a container of this name). Gives the image's id, null when it was
 * left or failed, which is shown.
 */
export async function commitFrom(
  ui: Ui,
  engine: ContainerEngine | string | null,
  { id, name, state }: Pick<Container, 'id' | 'name' | 'state'>,
): Promise<Digest | null> {
  if (ui.services.containers.readOnly) return null
  const reached = typeof engine === 'object' && engine !== null ? engine : null
  const hand: Hand = reached ?? { kind: kindOf(engine as string | null) }
  const runs = state === 'running'
  const mayFreeze = reached === null || reached.containers.capabilities.pause
  const answer = await ui.form({
    title: `Commit ${safe(name)} as an image`,
    fields: () => fieldsOf(runs, mayFreeze),
    buttons: ['commit'],
    command: values => safe(shellLine(commitLine(hand, name, specOf(values, runs)))),
  })
  if (answer === null) return null
  const spec = specOf(answer.values, runs)
  const made = await ui.work(`Committing ${safe(name)}`, () => {
    const run = (on: ContainerEngine, which: string) => committed(ui, on, which, name, spec)
    return reached ? run(reached, id) : ui.services.containers.reach(engine as string | null, id, run)
  })
  if (!made) return null
  const { image, kind } = made
  const called = spec.reference ?? image.replace(/^sha256:/, '').slice(0, 12)
  ui.toast(`committed ${name} as ${called}`, 'info', {
    key: 'enter',
    label: 'explore it',
    run: () => ui.explore(`${transports[kind]}:${spec.reference ?? image}`),
  })
  return image
}

async function committed(ui: Ui, engine: ContainerEngine, id: string, name: string, spec: CommitSpec) {
  const deed = {
    what: `committed ${name}${spec.reference ? ` as ${spec.reference}` : ''}`,
    engine: engine.id,
    command: commitLine(engine, name, spec),
  }
  const image = await ui.services.journal.record(deed, () => engine.containers.commit(id, spec))
  return { image, kind: engine.kind }
}

/** How an image of an engine is written. */
const transports = { docker: 'docker-daemon', podman: 'podman', native: 'strata' } as const

function kindOf(engine: string | null): ContainerEngine['kind'] {
  if (engine === null || engine === 'native') return 'native'
  return engine.startsWith('podman') ? 'podman' : 'docker'
}

function fieldsOf(runs: boolean, mayFreeze: boolean): FormField[] {
  return [
    {
      key: 'name',
      label: 'name',
      kind: 'text',
      placeholder: 'REPOSITORY:TAG, or none',
      help: 'What the image is called, like web:before. Without a name it has its id only.',
      check: nameProblem,
    },
    { key: 'message', label: 'message', kind: 'text', help: 'What it is for; it stands in the history of the image.' },
    { key: 'author', label: 'author', kind: 'text', help: 'By whom, like Ada <ada@example.com>.' },
    {
      key: 'changes',
      label: 'changes',
      kind: 'lines',
      placeholder: 'CMD ["server"]',
      help: 'Dockerfile lines for its config: CMD ENTRYPOINT ENV EXPOSE LABEL USER VOLUME WORKDIR …',
      check: changeProblem,
    },
    {
      key: 'pause',
      label: 'freeze',
      kind: 'flag',
      value: runs && mayFreeze,
      help: 'Nothing is written meanwhile, so that no file of the image is half written.',
      why: !runs
        ? 'it does not run: nothing changes meanwhile'
        : mayFreeze
          ? null
          : 'its engine can not freeze containers',
    },
  ]
}

function specOf(values: FormValues, runs: boolean): CommitSpec {
  const text = (key: string) => String(values[key] ?? '').trim() || undefined
  return {
    reference: text('name'),
    message: text('message'),
    author: text('author'),
    changes: values.changes as readonly string[],
    pause: !runs || values.pause === true,
  }
}

function nameProblem(text: string): string | null {
  if (text.trim() === '') return null
  try {
    const { digest, tag, id, repository } = parseImageName(text.trim())
    if (digest) return 'A digest is what the image gets, not what it is called.'
    return repository === null || (id !== null && tag === null && id.length === 64)
      ? 'That would be an id, not a name.'
      : null
  } catch (error) {
    return error instanceof Fault ? [error.message, error.hint].filter(Boolean).join(' ') : String(error)
  }
}

function changeProblem(text: string): string | null {
  const known = /^(CMD|ENTRYPOINT|ENV|EXPOSE|HEALTHCHECK|LABEL|ONBUILD|STOPSIGNAL|USER|VOLUME|WORKDIR)\s+\S/i
  return known.test(text.trim())
    ? null
    : 'It is CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, USER, VOLUME, WORKDIR, …, and a value.'
}
