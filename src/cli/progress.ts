/** One line on stderr that says how far a long read is; only where a person watches, and gone when it is over. */
import type { Progress } from '../base/progress.ts'
import { formatBytes, formatDuration } from '../base/sizes.ts'
import { cutEnd } from '../base/text.ts'
import type { Output } from './output.ts'

export interface ProgressLine {
  report: ((progress: Progress) => void) | undefined
  end(): void
}

/** Nothing is shown of what is over sooner than that, and nothing more often. */
const patience = 300
const interval = 100

/** A line that follows the reports; nothing where `err` is no terminal that can take a line back. */
export function showProgress(err: Output, title: string, now: () => number = () => performance.now()): ProgressLine {
  if (!err.terminal || process.env.TERM === 'dumb') return { report: undefined, end: () => {} }
  const start = now()
  let last = start + patience - interval
  let shown = false
  return {
    report(progress) {
      const time = now()
      if (time - last < interval) return
      last = time
      shown = true
      put(err, `\r${cutEnd(text(title, progress, time - start), err.columns - 1)}\x1b[K`)
    },
    end() {
      if (shown) put(err, '\r\x1b[K')
    },
  }
}

function text(title: string, { done, total }: Progress, elapsed: number): string {
  const rate = elapsed > 0 ? (done / elapsed) * 1000 : 0
  const of = total === null ? '' : ` of ${formatBytes(total)}`
  const left =
    total !== null && rate > 0 && total > done ? `, ${formatDuration(((total - done) / rate) * 1000)} left` : ''
  return `${title}: ${formatBytes(done)}${of}, ${formatBytes(rate)}/s${left}`
}

function put(err: Output, line: string): void {
  void err.write(line)
  void err.flush()
}
