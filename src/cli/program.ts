/** The verbs and their options, as commander knows them. Each verb's own file is loaded when it runs. */
import { Command, CommanderError } from 'commander'
import manifest from '../../package.json' with { type: 'json' }
import { Fault } from '../base/errors.ts'
import { containerVerbs, type VerbData } from './containers/verbs.ts'
import type { Io } from './output.ts'
import { engineFlags } from './quick.ts'
import { storeVerbs } from './store/verbs.ts'
import { usage, usageFault } from './usage.ts'
import { volumeVerbs } from './volume/verbs.ts'

/** Runs the command line and gives the exit code. Throws a Fault with exit code 2 when it can not be understood. */
export async function runProgram(args: string[], io: Io): Promise<number> {
  // Every other word after it is the builder's.
  if (args[0] === 'build' && !/^(-h|--help)$/.test(args[1] ?? ''))
    return (await import('./build.ts')).build(io, args.slice(1))
  let code = 0
  const done = (result: number) => {
    code = result
  }
  // The verb that is asked for alone: commander takes 10 ms for all of them.
  const one = describe(io, done, args[0] ?? '')
  const program = one.commands.length > 0 ? one : describe(io, done)
  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode !== 0) throw orDockers(usageFault(error, program, args), args[0])
  }
  await io.out.flush()
  return code
}

/** As docker: 2 may be the program's own exit code there. */
function orDockers(fault: Fault, verb: string | undefined): Fault {
  if (!containerVerbs.some(one => one.name === verb && one.command)) return fault
  return new Fault(fault.message, { exitCode: 125, ...(fault.hint === undefined ? {} : { hint: fault.hint }) })
}

/** What a verb is called with, after its arguments. */
export type Options = Record<string, unknown>

/** A verb: its arguments as they were given, its options, the names of all verbs below it; gives an exit code. */
export type Verb = (io: Io, values: string[], options: Options, verbs: string[]) => Promise<number | undefined>

/** The program with all its verbs, or with this one. */
function describe(io: Io, done: (code: number) => void, only?: string): Command {
  const wanted = (usage: string) => only === undefined || usage.split(' ')[0] === only
  const program = new Command('strata')
    .description('See what is inside a container image, layer by layer.')
    .version(`strata ${manifest.version}`, '-V, --version')
    .enablePositionalOptions()
    .helpCommand('help [VERB]', 'this text, or that of a verb')
    .argument(
      '[REF|CONTAINER]',
      'an image or a container: its layers on the screen; without it: the images of this machine',
    )
    .addHelpText('after', references)
  common(program)
    .option('--read-only', 'on the screens: start, stop, change and remove no container')
    .option(...besideIt)
    .option('--target <STAGE>', 'the stage of it that was built')
  program.action(act(io, done, async () => (await import('./screens.ts')).screens))

  const verb = (
    usage: string,
    description: string,
    load: () => Promise<Verb>,
    options: (command: Command) => unknown = () => {},
  ) => {
    if (!wanted(usage)) return
    const command = common(program.command(usage).description(description).option('--json', 'JSON in place of text'))
    options(command.action(act(io, done, load)))
  }

  verb(
    'analyze <REF>',
    'sizes, waste, advice; with --ci, rules that can fail',
    async () => (await import('./analyze.ts')).analyze,
    command =>
      command
        .option('--ci', 'check the rules; exit code 1 when one fails')
        .option('--rules <FILE>', 'the rules (default: .strata-ci.yaml or .dive-ci, where there is one)')
        .option('--lowest-efficiency <SHARE>', 'rule: 0.95 or 95%')
        .option('--highest-wasted-bytes <SIZE>', 'rule: 20MB')
        .option('--highest-user-wasted-percent <SHARE>', 'rule: 10% or 0.1 of what lies above the first layer')
        .option('--biggest-layer <SIZE>', 'rule: 500MB')
        .option('--forbid <GLOB>', 'rule: a path that no layer may store; may be given again', gathered)
        .option('--score <NAME>', "dive: print dive's own numbers too"),
  )
  verb(
    'tree <REF> [PATH]',
    'the files as of a step',
    async () => (await import('./tree.ts')).tree,
    command => command.option('--changes', 'only what the step changed, deleted files too'),
  )
  verb(
    'history <REF>',
    'the steps, newest first',
    async () => (await import('./history.ts')).history,
    command => command.option(...besideIt),
  )
  verb(
    'waste <REF>',
    'every byte that is stored and can not be seen, and why',
    async () => (await import('./waste.ts')).waste,
  )
  verb('cat <REF> <PATH>', 'the content of a file', async () => (await import('./cat.ts')).cat)
  verb(
    'extract <REF> <PATH> <DEST>',
    'copies a file or a directory out of the image',
    async () => (await import('./extract.ts')).extract,
    command => command.option('--overwrite', 'replace files that are there'),
  )
  verb(
    'blame <REF> <PATH>',
    'every layer that touched a path, newest first',
    async () => (await import('./blame.ts')).blame,
  )
  if (wanted('build'))
    program
      .command('build [ARGS...]')
      .description("builds an image with docker's, podman's or buildah's own builder and its flags, then shows it")
      .option('--engine <NAME>', 'docker, podman or buildah')
      .option('--context <NAME>', 'the Docker context to use')
      .option('--debug', 'when a step fails: a shell in the image before it')
      .option('--json', 'then what analyze --json prints')
      .option('--ci', 'then the rules; exit code 1 when one fails')
      .option('--rules <FILE>', 'the rules')
  verb('images', 'the images of this machine', async () => (await import('./images.ts')).images)
  verb(
    'inspect <REF|CONTAINER>',
    'what an image or a container says of itself, as JSON',
    async () => (await import('./inspect.ts')).inspect,
    command => command.option('--type <KIND>', 'image or container, where both have the name'),
  )
  verb(
    'dockerfile <REF>',
    'the Dockerfile that the history tells of',
    async () => (await import('./dockerfile.ts')).dockerfile,
  )
  verb(
    'doctor',
    'what works on this machine, and what mends the rest',
    async () => (await import('./doctor.ts')).doctor,
  )
  const add = (parent: Command, { name, values, about, flags, command: others, load }: VerbData) => {
    const command = parent.command(`${name} ${values}`.trim()).description(about)
    for (const [names, text, many] of [...flags, ...engineFlags])
      if (many) command.option(names, text, gathered)
      else command.option(names, text)
    if (others) command.passThroughOptions()
    command.action(act(io, done, load))
  }
  for (const one of [...containerVerbs, ...storeVerbs]) if (wanted(one.name)) add(program, one)
  for (const { name, about, verbs } of groups) {
    if (!wanted(name)) continue
    const group = program
      .command(name)
      .description(about)
      .action(() => {
        throw usage(`strata ${name} needs one more word.`, `strata ${name} --help lists what there is.`)
      })
    for (const one of verbs) add(group, one)
    quiet(group)
  }
  quiet(program)
  return program
}

/** Verbs that have a word before them. */
const groups = [{ name: 'volume', about: 'volumes: create, ls, rm, inspect, prune', verbs: volumeVerbs }] as const

const besideIt = ['--dockerfile <FILE>', 'the file it was built from: which lines made which step'] as const

const references = `
An image (REF) is
  ./image.tar  ./oci-layout  -  what a path or stdin holds, told by its content
  NAME[:TAG]                    an image of the native store, of Docker or of Podman
  docker-archive:PATH[:NAME]  oci:DIR[:TAG]  oci-archive:PATH[:TAG]
  strata:NAME  docker-daemon:NAME  podman:NAME
  docker://[REGISTRY/]NAME[:TAG|@DIGEST]   an image in its registry, without a pull
  sample                        a small image made on the spot
  container:NAME  container:ENGINE/NAME   a container on the screen; a bare name too, where no image has it
and REF@STEP is the image as of that step of its history: 1 is the first, -1 the last, or a layer's diffID.

Exit codes: 0 done, 1 failed or a rule failed, 2 usage, 130 interrupted. Of run, exec and shell the command's own;
125 it could not be started, 126 not be run, 127 not be found, 128+n a signal ended it.
`

/** The options that choose and read an image; the same before and after the verb. */
function common(command: Command): Command {
  return command
    .option('--platform <OS/ARCH>', 'which image of a multi-platform index: linux/arm64, linux/arm/v7')
    .option('--engine <NAME>', 'where to look for a bare name: native, docker or podman')
    .option('--context <NAME>', 'the Docker context to use')
    .option('--verify', 'hash every layer and compare it with its digest')
    .option('--no-verify', 'hash no layer: faster where layers are compressed, and nothing is compared')
    .option('--cache', 'use the index cache (this is the default)')
    .option('--no-cache', 'read every layer anew')
    .option(
      '--fast-remote',
      'no export of a remote image: its engine makes a container for us, never starts it, removes it',
    )
    .option('--no-fast-remote', 'export it, whatever was answered on the screen')
    .option(
      '--tls-verify <BOOL>',
      'of docker://NAME; false: TLS is not verified, and a registry of this machine may do without',
    )
}

/** A commander action that loads the verb, runs it with the options of the program under its own, and tells the code. */
function act(io: Io, done: (code: number) => void, load: () => Promise<Verb>) {
  return async (...all: unknown[]) => {
    const command = all.pop() as Command
    all.pop()
    const values = all.flat().filter(value => value !== undefined) as string[]
    const verb = await load()
    const verbs = command.commands.map(one => one.name())
    done((await verb(io, values, { ...given(command.parent), ...given(command) }, verbs)) ?? 0)
  }
}

function gathered(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value]
}

/** The options that the person wrote. */
function given(command: Command | null): Options {
  if (!command) return {}
  const options = Object.entries(command.opts())
  return Object.fromEntries(options.filter(([name]) => command.getOptionValueSource(name) === 'cli'))
}

/** Commander throws in place of printing and leaving; help goes to stdout. */
function quiet(program: Command): void {
  for (const command of [program, ...program.commands]) {
    command
      .exitOverride()
      .configureOutput({ writeErr: () => {} })
      .helpOption(command.options.some(one => one.short === '-h') ? '--help' : '-h, --help', 'this text')
  }
}
