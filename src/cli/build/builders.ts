/** Who can build here: the command lines of Docker, Podman and buildah, each with its own engine behind it. */
import { execFile } from 'node:child_process'
import process from 'node:process'
import { Fault } from '../../base/errors.ts'

export interface Builder {
  name: 'docker' | 'podman' | 'buildah'
  /** Program and first arguments; the person's follow. */
  command: readonly string[]
  env: NodeJS.ProcessEnv
  /** How an id of its images is written as a reference of ours. */
  reference(id: string): string
}

/**
 * The builder that is asked for, else the first one whose engine answers: Docker (whose own command line picks BuildKit or
 * the classic builder), Podman, buildah. Throws a Fault when there is none.
 */
export async function findBuilder(engine: string | undefined, context: string | undefined): Promise<Builder> {
  const wanted = engine === undefined ? all : all.filter(one => one.name === engine)
  if (wanted.length === 0)
    throw new Fault(`${engine} is no builder.`, { exitCode: 2, hint: '--engine docker, podman or buildah builds.' })
  const env = context === undefined ? process.env : { ...process.env, DOCKER_CONTEXT: context }
  const silent: string[] = []
  for (const { name, asked, command, transport } of wanted) {
    const answer = await ask([name, ...asked], env)
    if (answer === 'answers') return { name, command, env, reference: id => `${transport}:${id}` }
    if (answer !== 'missing') silent.push(`${name}: ${answer}`)
  }
  throw new Fault(engine === undefined ? 'Nothing here can build an image.' : `${engine} can not build here.`, {
    hint: silent.length > 0 ? silent.join('\n') : 'Install one of docker, podman, buildah: it does the building.',
  })
}

const all = [
  {
    name: 'docker',
    asked: ['version', '--format', '{{.Server.Version}}'],
    command: ['docker', 'build'],
    transport: 'docker-daemon',
  },
  {
    name: 'podman',
    asked: ['info', '--format', '{{.Version.Version}}'],
    command: ['podman', 'build'],
    transport: 'podman',
  },
  { name: 'buildah', asked: ['--version'], command: ['buildah', 'build', '--layers'], transport: 'podman' },
] as const

/** Milliseconds that an engine may take to say that it is there. */
const patience = 10_000

/** `answers`, `missing`, or why it does not answer, on one line. */
function ask([program, ...args]: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise(resolve => {
    execFile(program, args, { env, timeout: patience, maxBuffer: 1 << 20 }, (error, _, stderr) => {
      if (!error) resolve('answers')
      else if (error.code === 'ENOENT' || error.code === 'EACCES') resolve('missing')
      else resolve(stderr.trim().split('\n').at(-1)?.slice(0, 500) || error.message.split('\n')[0])
    })
  })
}
