/**
 * The hostile corpus: the real program on images that mean harm, each command in a process of its own that is measured.
 * Always: inside its time and memory, the canary folder untouched, nothing beside the output, no stack trace, no raw
 * control byte. `explore` is analyze and tree, as JSON and as text; `unpack` is extract.
 */
import { createHash } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Meter, openMeter, type Run } from '../harness/measured.ts'
import { type Report, shorten } from './report.ts'

interface ExpectedHostile {
  victim: string
  cases: HostileCase[]
}

interface HostileCase {
  id: string
  file: string
  explore: 'list' | 'error' | 'either'
  unpack: 'contained' | 'refuse' | 'either'
  time_s: number
  rss_mb: number
  must_exist?: string[]
  content?: Record<string, string>
  /** Byte strings, one character a byte. */
  forbidden_in_output?: string[]
  /** How many hostile names there are: they have to stay distinguishable. */
  count?: number
  run?: string
}

const words =
  'id file bytes cls ref why note name explore unpack time_s rss_mb must_exist content forbidden_in_output count run'
const knownKeys = new Set(words.split(' '))

interface Place {
  program: string
  meter: Meter
  root: string
  victim: string
}

const explorers = [['analyze', '--json'], ['analyze'], ['tree', '--json'], ['tree'], ['history'], ['waste']]

/** Runs every case of the folder through the program. */
export async function checkHostile(
  folder: string,
  expected: ExpectedHostile,
  program: string,
  report: Report,
): Promise<void> {
  const meter = openMeter()
  const { victim } = expected
  const made = !existsSync(victim)
  mkdirSync(victim, { recursive: true })
  if (made) writeFileSync(join(victim, 'canary'), 'untouched')
  try {
    for (const hostile of expected.cases) {
      const root = mkdtempSync(join(tmpdir(), 'strata-hostile-'))
      const place = { program, meter, root, victim }
      const file = join(folder, hostile.file)
      for (const [verb, ...options] of explorers) {
        const name = `hostile/${hostile.id}: ${[verb, ...options].join(' ')}`
        await report.run(name, () => explore(place, hostile, [verb, file, ...options]))
      }
      await report.run(`hostile/${hostile.id}: extract`, () => unpack(place, hostile, file))
      const unknown = Object.keys(hostile).filter(key => !knownKeys.has(key))
      if (unknown.length > 0) report.note(`not looked at: ${unknown.join(', ')} of hostile/${hostile.id}`)
      if (hostile.run) report.note(`not run: hostile/${hostile.id} in a container (${hostile.run})`)
      rmSync(root, { recursive: true, force: true })
    }
  } finally {
    meter.close()
    if (made) rmSync(victim, { recursive: true, force: true })
  }
}

async function explore(place: Place, hostile: HostileCase, args: string[]): Promise<string[]> {
  const { run, problems } = await guarded(place, hostile, args)
  if (hostile.explore === 'list' && run.code !== 0)
    problems.push(`exit ${run.code}: ${shorten(run.stderr.toString().trim())}`)
  if (hostile.explore === 'error' && run.code === 0) problems.push('exit 0, an error was expected')
  if (run.code !== 0 && run.stderr.length === 0) problems.push(`exit ${run.code} without a word`)
  if (run.code === 0 && args.includes('--json')) problems.push(...badJson(run, args[0] === 'tree'))
  if (hostile.count !== undefined && args[0] === 'tree')
    problems.push(...indistinct(run, args.includes('--json'), hostile.count))
  return problems
}

async function unpack(place: Place, hostile: HostileCase, file: string): Promise<string[]> {
  const out = join(place.root, 'work', 'out')
  const { run, problems } = await guarded(place, hostile, ['extract', file, '/', out])
  if (hostile.unpack === 'refuse' && run.code === 0) problems.push('exit 0, it should have refused')
  if (hostile.unpack === 'contained' && run.code !== 0)
    problems.push(`exit ${run.code}: ${shorten(run.stderr.toString().trim())}`)
  if (run.code !== 0 || hostile.unpack === 'refuse') return problems
  for (const path of hostile.must_exist ?? []) {
    if (!lstatSync(join(out, path), { throwIfNoEntry: false })) problems.push(`${path} is not there`)
  }
  for (const [path, text] of Object.entries(hostile.content ?? {})) {
    const found = lstatSync(join(out, path), { throwIfNoEntry: false })?.isFile()
      ? readFileSync(join(out, path), 'latin1')
      : 'no file'
    if (found !== text) problems.push(`${path} holds ${shorten(JSON.stringify(found))}`)
  }
  return problems
}

/** Runs the program in a folder of its own and checks what has to hold whatever it is given. */
async function guarded(place: Place, hostile: HostileCase, args: string[]): Promise<{ run: Run; problems: string[] }> {
  const work = join(place.root, 'work')
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work)
  const before = fingerprint(place.victim)
  const env = {
    PATH: process.env.PATH,
    HOME: join(place.root, 'home'),
    XDG_CACHE_HOME: join(place.root, 'cache'),
    TMPDIR: place.root,
  }
  const script = `ulimit -c 0; ulimit -t ${hostile.time_s * 2}; exec "$@"`
  const run = await place.meter.run('sh', ['-c', script, 'sh', place.program, ...args], {
    cwd: work,
    env,
    timeout: hostile.time_s,
  })
  const output = Buffer.concat([run.stdout, run.stderr]).toString('latin1')
  const problems: string[] = []
  if (run.timedOut) problems.push(`not done in ${hostile.time_s} s`)
  if (run.memory > hostile.rss_mb * 2 ** 20) problems.push(`${Math.round(run.memory / 2 ** 20)} MiB resident`)
  if (run.code > 128) problems.push(`killed by signal ${run.code - 128}`)
  if (fingerprint(place.victim) !== before) problems.push('the canary folder was touched')
  const beside = readdirSync(work).filter(name => name !== 'out')
  if (beside.length > 0) problems.push(`left beside the output: ${beside}`)
  problems.push(...badOutput(output, hostile.forbidden_in_output ?? []))
  return { run, problems }
}

function badOutput(output: string, forbidden: readonly string[]): string[] {
  const problems: string[] = []
  const trace = /^\s+at .*[:(]\d+:\d+\)?$|^(Type|Range|Reference|Syntax)?Error: |node:internal|DEP0\d+|Unhandled/m.exec(
    output,
  )
  if (trace) problems.push(`a stack trace: ${shorten(trace[0])}`)
  const control = /[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]/.exec(output)
  if (control)
    problems.push(
      `a raw control byte in ${shorten(JSON.stringify(output.slice(Math.max(control.index - 30, 0), control.index + 30)))}`,
    )
  for (const text of forbidden) if (output.includes(text)) problems.push(`forbidden: ${JSON.stringify(text)}`)
  return problems
}

function badJson(run: Run, lines: boolean): string[] {
  const text = run.stdout.toString().trimEnd()
  try {
    for (const line of lines ? text.split('\n') : [text]) JSON.parse(line)
    return []
  } catch (error) {
    return [`no JSON: ${(error as Error).message}`]
  }
}

/** Every listed path has a line of its own that no other has, and JSON gives each path back byte for byte. */
function indistinct(run: Run, json: boolean, count: number): string[] {
  const lines = run.stdout.toString().trimEnd().split('\n')
  if (lines.length < count) return [`${lines.length} lines for ${count} names`]
  const names = json ? lines.map(pathOf) : lines
  const distinct = new Set(names).size
  return distinct === names.length ? [] : [`only ${distinct} of ${names.length} lines differ`]
}

function pathOf(line: string): string {
  const { path, pathBase64 } = JSON.parse(line) as { path: string; pathBase64?: string }
  return pathBase64 === undefined ? Buffer.from(path).toString('base64') : pathBase64
}

/** Everything that can be seen of a folder, in one string. */
function fingerprint(folder: string): string {
  const hash = createHash('sha256')
  const visit = (path: string) => {
    const own = lstatSync(path)
    hash.update(`${path} ${own.mode} ${own.uid} ${own.gid} ${own.size} ${own.mtimeMs} ${own.ino}\n`)
    if (own.isDirectory()) for (const name of readdirSync(path).sort()) visit(join(path, name))
    else if (own.isFile()) hash.update(readFileSync(path))
    else if (own.isSymbolicLink()) hash.update(readlinkSync(path))
  }
  visit(folder)
  return hash.digest('hex')
}
