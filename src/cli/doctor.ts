/** `strata doctor`: what works on this machine and, for what does not, the line that mends it. */
import { safe } from '../base/text.ts'
import { checks } from './doctor-checks.ts'
import { writeJsonLines } from './json.ts'
import type { Io } from './output.ts'
import type { Options } from './program.ts'
import { type Column, writeTable } from './table.ts'

export interface Finding {
  what: string
  /** `ok` works, `warn` works with less, `no` does not work. */
  state: 'ok' | 'warn' | 'no'
  /** What was found. */
  detail: string
  /** The line that mends it; null when nothing has to be mended or nothing can be. */
  mend: string | null
}

export async function doctor(io: Io, _: string[], options: Options): Promise<number> {
  const findings = (await Promise.all(checks(options, io.signal))).flat()
  if (options.json) await writeJsonLines(io.out, findings)
  else if (!io.out.terminal) await writeTable(io.out, columns, findings)
  else {
    const widest = Math.max(...findings.map(one => one.what.length))
    for (const { state, what, detail, mend } of findings) {
      const mark = io.out.style(state === 'ok' ? 'green' : state === 'warn' ? 'yellow' : 'red', marks[state])
      await io.out.write(`${mark}  ${what.padEnd(widest)}  ${safe(detail)}\n`)
      if (mend !== null) await io.out.write(`${' '.repeat(6 + widest)}→ ${safe(mend)}\n`)
    }
  }
  return 0
}

const marks = { ok: 'ok', warn: '! ', no: 'no' }

const columns: Column<Finding>[] = [
  { title: 'STATE', value: one => one.state },
  { title: 'WHAT', value: one => one.what },
  { title: 'FOUND', value: one => safe(one.detail) },
  { title: 'MEND', value: one => (one.mend === null ? null : safe(one.mend)) },
]
