/** ctrl-z, and coming back from it. Raw mode delivers ctrl-z as a key: stopping is up to us. */
import process from 'node:process'

/** Milliseconds until a stop that did not happen is given up: a shell without job control ignores it. */
const NOT_STOPPED = 150

/**
 * Stops the whole process group, as the terminal would have done, and resolves once it goes on. Call it with the
 * terminal in the state that the shell expects.
 */
export async function stopUntilContinued(): Promise<void> {
  await new Promise<void>(resolve => {
    const timer = setTimeout(done, NOT_STOPPED)
    function done() {
      clearTimeout(timer)
      process.off('SIGCONT', done)
      resolve()
    }
    process.once('SIGCONT', done)
    process.kill(0, 'SIGTSTP')
  })
}

/** Asks for the size again: a resize while another program had the terminal was told to that program only. */
export function refreshSize(): void {
  process.emit('SIGWINCH', 'SIGWINCH')
}
