/** Extracting from the screens: asks where to, runs it with its progress, says what came of it. */
import { Fault } from '../../base/errors.ts'
import { formatBytes, formatCount } from '../../base/sizes.ts'
import { safe, safeBytes } from '../../base/text.ts'
import type { Stack } from '../../layer/stack.ts'
import { type Extracted, extract } from '../../source/extract.ts'
import type { Image } from '../../source/types.ts'
import type { Ui } from '../ui.ts'

/** What is to be extracted: a path as it stands in the stack 0..layer. */
export interface Extraction {
  image: Image
  stack: Stack
  layer: number
  node: number
}

/** Asks for a destination and extracts there. What is in the way is replaced only after a second question. */
export function extractTo(ui: Ui, what: Extraction): void {
  const path = `/${safeBytes(what.stack.tree.path(what.node))}`
  ui.prompt({
    label: `extract ${path} to`,
    text: './',
    complete: text => ui.services.completePath(text),
    submit: text => {
      const destination = text.trim()
      if (destination !== '') void run(ui, what, destination, path)
    },
  })
}

async function run(ui: Ui, what: Extraction, destination: string, path: string): Promise<void> {
  const attempt = (overwrite: boolean) => (work: { signal: AbortSignal }) =>
    extract(what.image, what.stack, what.layer, what.node, destination, { ...work, overwrite })
  let blocked: Fault | null = null
  const done = await ui.work(`extracting ${path}`, async work => {
    try {
      return await attempt(false)(work)
    } catch (error) {
      if (!(error instanceof Fault) || !error.message.includes('is there already')) throw error
      blocked = error
      return null
    }
  })
  if (done) return tell(ui, done)
  if (!blocked) return
  const replace = await ui.confirm({
    title: 'Replace what is there?',
    lines: [safe((blocked as Fault).message), `Files of the same name below ${safe(destination)} are replaced.`],
    yes: 'replace',
    danger: true,
  })
  if (!replace) return
  const again = await ui.work(`extracting ${path}`, attempt(true))
  if (again) tell(ui, again)
}

function tell(ui: Ui, { to, files, bytes, skipped }: Extracted): void {
  const many = `${formatCount(files)} ${files === 1 ? 'file' : 'files'}, ${formatBytes(bytes)}`
  const text = `extracted ${many} to ${safeBytes(to)}`
  if (skipped.length === 0) return ui.toast(text)
  const [first] = skipped
  const left = `${formatCount(skipped.length)} left out`
  ui.toast(`${text}; ${left}: ${safeBytes(first!.path)}: ${first!.reason}`, 'warning')
}
