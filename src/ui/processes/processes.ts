/** The processes of a container: looked at again and again while they are shown, and signalled. */
import { bind } from '../../actions/action.ts'
import { handWords } from '../../actions/by-hand.ts'
import { type ProcessesContext, processesActions } from '../../actions/processes.ts'
import { asFault, type Fault } from '../../base/errors.ts'
import { shellLine } from '../../base/shell-words.ts'
import { safe } from '../../base/text.ts'
import type { ContainerEngine, ContainerProcess } from '../../engine/containers.ts'
import { chooseSignal } from '../containers/killing.ts'
import type { Screen } from '../screen.ts'
import type { Ui } from '../ui.ts'
import { keepVisible, type ListState, moveList } from '../widgets/list.ts'
import { drawProcesses, processesHeight } from './draw.ts'
import { keyOf, type Sampled, type SortBy, sampled, sorted } from './rows.ts'

export interface ProcessesOf {
  engine: ContainerEngine
  id: string
  name: string
}

/** Milliseconds between two looks, and how much longer a look may be than the pause before it. */
const PAUSE = 1500
const SHARE = 10

export function createProcesses(ui: Ui, { engine, id, name }: ProcessesOf): Screen {
  const listeners = new Set<() => void>()
  let rows: readonly Sampled[] | null = null
  let fault: Fault | null = null
  let by: SortBy = 'cpu'
  let list: ListState = { cursor: 0, top: 0 }
  let key: string | null = null
  let shown = false
  let timer: NodeJS.Timeout | undefined
  let looking = false

  const tell = () => {
    for (const listener of listeners) listener()
  }
  const ordered = () => sorted(rows ?? [], by)
  const height = () => processesHeight(ui.bodySize())
  const placed = () => {
    const all = ordered()
    const found = key === null ? 0 : all.findIndex(one => keyOf(one) === key)
    list = keepVisible({ ...list, cursor: found < 0 ? list.cursor : found }, all.length, height())
    return list
  }
  const here = (): Sampled | undefined => ordered()[placed().cursor]
  const look = async () => {
    clearTimeout(timer)
    if (looking) return
    looking = true
    const began = performance.now()
    try {
      rows = sampled(await engine.containers.processes(id), performance.now(), rows)
      fault = null
    } catch (error) {
      rows = rows && []
      fault = asFault(error, `The processes of ${safe(name)} can not be listed`)
    }
    looking = false
    if (!shown) return
    tell()
    timer = setTimeout(() => void look(), Math.max(PAUSE, (performance.now() - began) * SHARE))
  }

  const context: ProcessesContext = {
    hasRow: () => (rows?.length ?? 0) > 0,
    maySignal: () => !ui.services.containers.readOnly,
    move(by) {
      const all = ordered()
      list = moveList(placed(), by, all.length, height())
      const at = all[list.cursor]
      key = at ? keyOf(at) : null
      tell()
    },
    async signal() {
      const one = here()
      if (one) await signalTo(ui, { engine, id, name }, one)
      void look()
    },
    sortBy(wanted) {
      by = wanted
      const at = here()
      key = at ? keyOf(at) : null
      tell()
    },
    copy() {
      const one = here()
      if (one) ui.copy(one.command, 'the command')
    },
    refresh: () => void look(),
  }
  const stop = () => {
    shown = false
    clearTimeout(timer)
  }
  return {
    id: 'processes',
    title: () => `${safe(name)} processes`,
    scopes: () => ['processes'],
    actions: bind(processesActions, context),
    draw: (size, theme) => drawProcesses(size, theme, { rows: rows && ordered(), list: placed(), by, fault }),
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    mouse(event) {
      if (event.kind === 'wheel') context.move(event.by * 3)
      if (event.kind !== 'press' || event.button !== 0) return
      const index = list.top + event.y - 2
      if (event.y >= 2 && event.y < 2 + height() && index < ordered().length) context.move(index - list.cursor)
    },
    shown() {
      shown = true
      void look()
    },
    hidden: stop,
    close: stop,
  }
}

/** Chosen from a menu that names the process; what ends the whole container or can not be answered is asked for again. */
async function signalTo(ui: Ui, { engine, id, name }: ProcessesOf, one: ContainerProcess): Promise<void> {
  const number = one.inside ?? one.pid
  const called = `process ${number} of ${safe(name)}`
  // The native engine's own first process does nothing but wait for the program.
  const first = one.inside === 1 || (engine.kind === 'native' && one.inside === 2)
  const about = [safe(one.command), ...(first ? ['It is the first one: when it ends, the container does.'] : [])]
  const signal = await chooseSignal(ui, `A signal to ${called}`, about)
  if (signal === null) return
  const directly = one.pid !== null && one.started !== null
  const command = directly
    ? ['kill', '-s', signal, String(one.pid)]
    : [...handWords(engine), 'exec', name, 'kill', '-s', signal, String(one.inside)]
  const ends = signal === 'KILL' || (first && ['TERM', 'INT', 'HUP', 'QUIT'].includes(signal))
  if (ends) {
    const sure = await ui.confirm({
      title: `Send ${signal} to ${called}?`,
      lines: about,
      yes: `send ${signal}`,
      commands: [safe(shellLine(command))],
    })
    if (!sure) return
  }
  const deed = { what: `sent ${signal} to process ${number} of ${name}`, engine: engine.id, command }
  try {
    const how = await ui.services.journal.record(deed, () => engine.containers.signalProcess(id, one, signal))
    ui.toast(`sent ${signal} to process ${number} ${how === 'directly' ? 'from this machine' : 'from inside'}`)
  } catch (error) {
    ui.fail(error, `${signal} could not be sent to ${called}`)
  }
}
