/** The Config tab of a container: on the live layer what the container itself was made with, on a step what the image says. */

import { reasonOf } from '../../../base/errors.ts'
import { formatBytes } from '../../../base/sizes.ts'
import { safe } from '../../../base/text.ts'
import type { ContainerFacts, Port } from '../../../engine/containers.ts'
import { maskSecrets } from '../../containers/secrets.ts'
import { configLines, configPane } from '../../panes/config-pane.ts'
import type { ConfigRow } from '../config-rows.ts'
import { createLinesTab } from '../lines-tab.ts'
import type { Look, Tab } from '../tab.ts'
import type { Held } from './held.ts'

/** `steps`: the tab of the image's steps. */
export function createContainerConfigTab(look: Look, steps: Tab, held: Held): Tab {
  let facts: ContainerFacts | null = null
  let rows: ConfigRow[] = saying('Asking the engine …')
  const ask = async () => {
    try {
      const { engine, id } = await held.now()
      const found = await engine.containers.inspect(id, { sizes: true })
      facts = found
      rows = containerRows(found)
    } catch (error) {
      if (facts === null) rows = saying(safe(reasonOf(error)))
    }
    look.changed()
  }
  const own = createLinesTab({
    name: 'Config',
    pane: 'config',
    lines: columns => configLines(rows, columns, -1),
    draw: configPane,
    copies(line) {
      const row = rows[line.row]
      return !row || row.raw === '' ? [] : [{ text: row.raw, what: 'value' }]
    },
  })
  const now = () => (look.image.live && look.world.layerOfStep(look.step) === look.image.live.number ? own : steps)
  return {
    name: 'Config',
    pane: 'config',
    update() {
      own.update()
      steps.update()
    },
    attend(shown) {
      if (shown) void ask()
    },
    draw: (theme, view) => now().draw(theme, view),
    move: by => now().move(by),
    point: line => now().point(line),
    footer: () => now().footer(),
    node: () => null,
    enter: () => false,
    copies: () => now().copies(),
    busy: () => false,
    close() {
      own.close()
      steps.close()
    },
  }
}

function saying(text: string): ConfigRow[] {
  return [{ label: '', value: text, raw: '', step: null }]
}

type Field = [label: string, values: readonly string[]]

/** What was asked for when it was made, and what it is; what looks like a secret is masked. Harmless text. */
export function containerRows(facts: ContainerFacts): ConfigRow[] {
  const { masked, count } = maskSecrets(facts.env)
  const env = masked as string[]
  const some = (value: string | number | null | undefined) => (value ? [String(value)] : [])
  const fields: Field[] = [
    ['State', [facts.status || facts.state]],
    ['Image', [facts.image, ...some(facts.imageId)]],
    ['Entrypoint', facts.entrypoint.length > 0 ? [JSON.stringify(facts.entrypoint)] : []],
    ['Cmd', facts.cmd.length > 0 ? [JSON.stringify(facts.cmd)] : []],
    ['Workdir', some(facts.workingDir)],
    ['User', some(facts.user)],
    ['Env', env],
    ['Ports', facts.ports.map(portText)],
    [
      'Mounts',
      facts.mounts.map(
        ({ kind, source, destination, readOnly }) =>
          `${destination}  ${kind} ${source}${readOnly ? ', read only' : ''}`,
      ),
    ],
    ['Networks', facts.networks],
    ['Restart', some(facts.restartPolicy === 'no' ? '' : facts.restartPolicy)],
    ['Stop', some(facts.stopSignal)],
    ['Terminal', facts.tty ? ['yes'] : []],
    ['Log', [`${facts.logDriver}${facts.logPath ? `  ${facts.logPath}` : ''}`]],
    ['Live layer', facts.upperBytes === null ? [] : [formatBytes(facts.upperBytes)]],
    ['Upper', some(facts.overlay?.upper)],
    ['Process', some(facts.pid)],
    ['Labels', Object.entries(facts.labels).map(([name, value]) => `${name}=${value}`)],
    ['Id', [facts.id]],
  ]
  const rows = fields.flatMap(([label, values]) =>
    values.map((value, at) => ({ label: at === 0 ? label : '', value: safe(value), raw: value, step: null })),
  )
  if (count === 0) return rows
  const note = `${count} ${count === 1 ? 'value looks' : 'values look'} like a secret and ${count === 1 ? 'is' : 'are'} masked; i on the Containers screen shows all.`
  return [...rows, { label: 'Note', value: note, raw: '', step: null }]
}

function portText({ host, hostPort, port, protocol }: Port): string {
  const inside = `${port}/${protocol}`
  return hostPort === null ? inside : `${host === '' ? '' : `${host}:`}${hostPort} → ${inside}`
}
