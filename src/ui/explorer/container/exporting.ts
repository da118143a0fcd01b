/** What a container has changed, taken along: a layer as a tar, or the lines of a Dockerfile that do about the same. */
import { formatBytes, formatCount } from '../../../base/sizes.ts'
import { safe } from '../../../base/text.ts'
import type { Ui } from '../../ui.ts'

/** Asks for the form and the place. */
export async function exportFrom(ui: Ui, engine: string | null, name: string): Promise<void> {
  const at = await ui.choose({
    title: `Export what ${safe(name)} has changed`,
    items: [
      { label: 'A layer, as a tar', detail: 'with whiteouts: tar, umoci and every engine read it', key: 't' },
      { label: 'Dockerfile lines, to a file', detail: 'COPY, RUN rm, chmod, chown, …', key: 'd' },
      { label: 'Dockerfile lines, copied', detail: 'to the clipboard', key: 'y' },
    ],
  })
  if (at === 0) askPlace(ui, 'layer to', `${name}.layer.tar`, path => exportTar(ui, engine, name, path))
  if (at === 1) askPlace(ui, 'Dockerfile lines to', `${name}.Dockerfile`, path => exportLines(ui, engine, name, path))
  if (at === 2) {
    const lines = await linesOf(ui, engine, name)
    if (lines) ui.copy(`${lines.join('\n')}\n`, 'Dockerfile lines')
  }
}

function askPlace(ui: Ui, label: string, text: string, submit: (path: string) => Promise<void>): void {
  ui.prompt({
    label,
    text,
    complete: typed => ui.services.completePath(typed),
    submit: typed => {
      if (typed.trim() !== '') void submit(typed.trim())
    },
  })
}

async function exportTar(ui: Ui, engine: string | null, name: string, path: string): Promise<void> {
  const made = await ui.work(`exporting ${safe(name)}`, work =>
    ui.services.containers.exportLayer(engine, name, path, work),
  )
  if (!made) return
  const how = made.asked
    ? ', put together from what the engine tells: its upper directory can not be read from here'
    : ''
  ui.toast(`wrote a layer of ${formatBytes(made.bytes)} to ${safe(path)}${how}`)
}

async function exportLines(ui: Ui, engine: string | null, name: string, path: string): Promise<void> {
  const lines = await linesOf(ui, engine, name)
  if (!lines) return
  try {
    const saved = await ui.services.containers.save(path, lines)
    if (saved) ui.toast(`wrote ${formatCount(lines.length)} lines to ${safe(path)}`)
    else ui.toast(`${safe(path)} is there already, and was not written over.`, 'warning')
  } catch (error) {
    ui.fail(error, `${safe(path)} could not be written`)
  }
}

function linesOf(ui: Ui, engine: string | null, name: string): Promise<string[] | undefined> {
  return ui.work(`looking at what ${safe(name)} has changed`, work =>
    ui.services.containers.asDockerfile(engine, name, work),
  )
}
