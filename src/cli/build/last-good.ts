/**
 * The image as it was before the step that failed, whoever built it: the Dockerfile is cut off before that step and built
 * again, which is all in the builder's cache.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { Fault } from '../../base/errors.ts'
import type { Written, WrittenInstruction } from '../../image/written.ts'
import { type BuildArguments, upToHere } from './arguments.ts'
import type { Builder } from './builders.ts'
import { runBuilder } from './run.ts'

export interface LastGood {
  /** A reference of ours. */
  reference: string
  /** Takes it away again, where it is not a part of the builder's cache. */
  remove(): Promise<void>
}

/**
 * Builds what stands above the failed instruction; `scratch` is a folder of ours. Throws a Fault when nothing does, or when
 * even that can not be built.
 */
export async function lastGoodImage(
  builder: Builder,
  read: BuildArguments,
  written: Written,
  failed: WrittenInstruction,
  scratch: string,
): Promise<LastGood> {
  if (failed.keyword === 'FROM' || failed.stage < 0)
    throw new Fault(`${written.name}:${failed.from} failed: there is no image before it.`)
  const file = join(scratch, 'Dockerfile')
  const idFile = join(scratch, 'last-good')
  await writeFile(file, `${written.lines.slice(0, failed.from - 1).join('\n')}\n`)
  await copyIgnored(read.file!, file)
  const before = await imagesOf(builder)
  const { code, said } = await runBuilder(builder, upToHere(read.handed, file, idFile), {
    listen: true,
    keepStdout: true,
    quiet: true,
  })
  if (code !== 0)
    throw new Fault(`What stands above ${written.name}:${failed.from} can not be built by itself.`, {
      hint: said.trim().split('\n').slice(-3).join('\n'),
    })
  const id = await idIn(idFile, builder)
  return {
    reference: builder.reference(id),
    remove: async () => {
      if (!before.has(id)) await call(builder.command[0], ['rmi', id], { env: builder.env }).catch(() => {})
    },
  }
}

/** The id that a builder wrote. Throws a Fault when it is none. */
export async function idIn(file: string, builder: Builder): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const id = /^(?:sha256:)?([0-9a-f]{64})\s*$/.exec(text)?.[1]
  if (id !== undefined) return `sha256:${id}`
  throw new Fault(`${builder.name} did not say which image it has built.`, {
    hint: 'A builder that keeps its result to itself hands it on with --load.',
  })
}

const call = promisify(execFile)

async function imagesOf(builder: Builder): Promise<Set<string>> {
  const { stdout } = await call(builder.command[0], ['images', '-aq', '--no-trunc'], {
    env: builder.env,
    maxBuffer: 64 << 20,
  })
  return new Set(stdout.split('\n').map(id => (id.startsWith('sha256:') ? id : `sha256:${id}`)))
}

/** BuildKit takes `NAME.dockerignore` beside the Dockerfile before the context's own. */
async function copyIgnored(from: string, to: string): Promise<void> {
  const ignored = `${from}.dockerignore`
  if (existsSync(ignored) && existsSync(dirname(from))) await copyFile(ignored, `${to}.dockerignore`)
}
