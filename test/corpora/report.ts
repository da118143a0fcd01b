/** Counts cases and says what failed, a line a case, and at the end `N passed, N failed`. */

export interface Report {
  passed: number
  failed: number
  /** A case with what is wrong with it; nothing wrong means passed. */
  check(name: string, problems: readonly string[]): void
  /** Runs a case; an error that comes out of it is what is wrong. */
  run(name: string, work: () => readonly string[] | Promise<readonly string[]>): Promise<void>
  /** A line that is no case. */
  note(text: string): void
}

/** A report that writes its lines with `write`. */
export function createReport(write: (line: string) => void): Report {
  const report: Report = {
    passed: 0,
    failed: 0,
    check(name, problems) {
      if (problems.length === 0) report.passed++
      else {
        report.failed++
        write(
          `FAIL ${name}: ${problems.slice(0, 4).join('; ')}${problems.length > 4 ? ` (${problems.length} in all)` : ''}`,
        )
      }
    },
    async run(name, work) {
      let problems: readonly string[]
      try {
        problems = await work()
      } catch (error) {
        problems = [
          error instanceof Error ? (error.stack ?? error.message).split('\n').slice(0, 3).join(' ') : String(error),
        ]
      }
      report.check(name, problems)
    },
    note: write,
  }
  return report
}

/** `what: WANTED expected, GOT found` where both differ as JSON, else nothing. */
export function compare(what: string, wanted: unknown, got: unknown): string[] {
  const [left, right] = [JSON.stringify(wanted), JSON.stringify(got)]
  return left === right ? [] : [`${what}: expected ${shorten(left)}, found ${shorten(right)}`]
}

/** Long values cut to what fits on a line. */
export function shorten(text: string | undefined): string {
  return text === undefined ? 'nothing' : text.length > 160 ? `${text.slice(0, 160)}…` : text
}
