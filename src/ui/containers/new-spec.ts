/** What was filled in for a new container, as the wish that an engine takes. Pure. */
import { expandHome } from '../../actions/complete-path.ts'
import { splitLine } from '../../base/shell-words.ts'
import type { ContainerSpec } from '../../engine/containers.ts'
import type { FormValues } from '../widgets/form-state.ts'

/** The wish; what was left empty is not in it, and is what the image says. */
export function specOf(values: FormValues, image: string): ContainerSpec {
  const text = (key: string) => String(values[key] ?? '').trim() || undefined
  const lines = (key: string) => {
    const all = ((values[key] as readonly string[] | undefined) ?? []).map(line => line.trim())
    return all.length > 0 ? all : undefined
  }
  const tty = values.tty === true
  const command = splitLine(text('command') ?? '').words
  const restart = text('restart')
  return {
    image,
    name: text('name'),
    command: command.length > 0 ? command : undefined,
    env: (values.env as readonly string[] | undefined)?.length ? (values.env as readonly string[]) : undefined,
    publish: lines('ports'),
    volumes: lines('volumes')?.map(volume => expandHome(volume)),
    user: text('user'),
    workingDir: text('workdir'),
    network: text('network'),
    restart: restart === 'no' ? undefined : restart,
    tty: tty || undefined,
    openStdin: tty || undefined,
    remove: values.rm === true || undefined,
  }
}

/** Whether a command has words that only a shell makes something of. */
export function wantsShell(command: string): boolean {
  const { words } = splitLine(command)
  if (words.length > 1 && /^(?:.*\/)?(?:ba|z|a|da)?sh$/.test(words[0]!)) return false
  return words.some(word => /^(?:&&|\|\|?|;|&|[<>]{1,2}\S*|[012]>\S*)$/.test(word) || /^\S*;$|^\$[\w{(]/.test(word))
}
