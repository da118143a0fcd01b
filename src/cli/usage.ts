/** What commander could not understand, as one sentence and the nearest thing that exists. */
import type { Command, CommanderError } from 'commander'
import { Fault } from '../base/errors.ts'

/** The fault for a command line that can not be understood: exit code 2. */
export function usageFault(error: CommanderError, program: Command, args: string[]): Fault {
  const [message, suggestion] = error.message.replace(/^error: /, '').split('\n')
  const command = program.commands.find(one => one.name() === args[0])
  const help = `strata ${command ? `${command.name()} ` : ''}--help lists what there is.`
  if (error.code === 'commander.excessArguments' && !command) return unknownVerb(program, args)
  if (error.code === 'commander.help' && args[0] === 'help') return unknownVerb(program, args.slice(1))
  if (error.code === 'commander.missingArgument' && command) {
    const missing = /'(.+)'/.exec(message)?.[1]
    return usage(`strata ${command.name()} needs ${missing}.`, `strata ${command.name()} ${command.usage()}`)
  }
  const meant = /Did you mean (.+)\?/.exec(suggestion ?? '')?.[1]
  return usage(sentence(message), meant ? `Did you mean ${meant}? ${help}` : help)
}

/** The verb that someone who wrote `word` may have meant, null when none is near. */
export function nearestVerb(verbs: readonly string[], word: string): string | null {
  const near = verbs
    .map(name => ({ name, distance: distance(word.toLowerCase(), name) }))
    .sort((a, b) => a.distance - b.distance)[0]
  return near && near.distance <= Math.max(1, Math.floor(near.name.length / 3)) ? near.name : null
}

function unknownVerb(program: Command, args: string[]): Fault {
  const word = args.find(arg => !arg.startsWith('-')) ?? args[0]
  const near = nearestVerb(
    program.commands.map(command => command.name()),
    word,
  )
  return usage(
    `There is no verb “${word}”.`,
    near ? `Did you mean ${near}? strata --help lists the verbs.` : 'strata --help lists the verbs.',
  )
}

/** A fault of the command line: exit code 2. */
export function usage(message: string, hint?: string): Fault {
  return new Fault(message, hint === undefined ? { exitCode: 2 } : { exitCode: 2, hint })
}

function sentence(message: string): string {
  const text = message.charAt(0).toUpperCase() + message.slice(1)
  return /[.?!]$/.test(text) ? text : `${text}.`
}

/** Levenshtein's distance with neighbours swapped counted once. */
function distance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => Array.from({ length: b.length + 1 }, (_, j) => i + j))
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      rows[i][j] = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + cost)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        rows[i][j] = Math.min(rows[i][j], rows[i - 2][j - 2] + 1)
      }
    }
  }
  return rows[a.length][b.length]
}
