/** Lines into a file: which of them, where to, and a question before a file is written over. */
import { formatCount } from '../../base/sizes.ts'
import { safe } from '../../base/text.ts'
import type { Ui } from '../ui.ts'

export interface SaveChoice {
  label: string
  lines(): string[]
}

/** Resolves when it has been asked which lines; the rest goes its own way and shows its failures. */
export async function saveText(ui: Ui, fileName: string, choices: readonly SaveChoice[]): Promise<void> {
  const made = choices.map(({ label, lines }) => ({ label, lines: lines() }))
  const items = made.map(({ label, lines }, at) => ({
    label,
    key: label[0] ?? String(at),
    detail: `${formatCount(lines.length)} lines`,
  }))
  const choice = await ui.choose({ title: 'Save', items })
  if (choice === null) return
  const { lines } = made[choice]!
  ui.prompt({
    label: 'save to',
    text: fileName,
    complete: text => ui.services.completePath(text),
    submit(path) {
      if (path.trim() !== '') void save(ui, path.trim(), lines)
    },
  })
}

async function save(ui: Ui, path: string, lines: readonly string[]): Promise<void> {
  try {
    const { containers } = ui.services
    if (!(await containers.save(path, lines))) {
      const question = { title: `Write over ${safe(path)}?`, lines: ['It is there already. What is in it is lost.'] }
      if (!(await ui.confirm({ ...question, yes: 'write over it', danger: true }))) return
      await containers.save(path, lines, { over: true })
    }
    ui.toast(`saved ${formatCount(lines.length)} lines to ${path}`)
  } catch (error) {
    ui.fail(error, `${safe(path)} could not be written`)
  }
}
