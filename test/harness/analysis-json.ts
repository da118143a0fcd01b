/** What `strata analyze --json` prints, run in the test's own process, and what of it may differ between sources. */
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { createOutput } from '../../src/cli/output.ts'
import { runProgram } from '../../src/cli/program.ts'

export interface AnalyzeOptions {
  args?: string[]
  env?: NodeJS.ProcessEnv
}

export interface PrintedAnalysis {
  image: Record<string, unknown>
  bytes: Record<string, unknown>
  layers: Record<string, unknown>[]
  [more: string]: unknown
}

/** Runs `analyze REFERENCE --json …` with some of the environment changed. @throws what the program would die of. */
export async function analyzeJson(
  reference: string,
  { args = [], env = {} }: AnalyzeOptions = {},
): Promise<PrintedAnalysis> {
  const before = Object.keys(env).map(name => [name, process.env[name]] as const)
  Object.assign(process.env, env)
  try {
    const [out, err] = [new PassThrough(), new PassThrough()]
    const said = [text(out), text(err)]
    const io = { out: createOutput(out, {}), err: createOutput(err, {}), signal: new AbortController().signal }
    const code = await runProgram(['analyze', reference, '--json', ...args], io).finally(() => {
      out.end()
      err.end()
    })
    const [json, complaint] = await Promise.all(said)
    if (code !== 0 || complaint !== '') throw new Error(`analyze ended with ${code}: ${complaint}`)
    return JSON.parse(json!)
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
}

/**
 * The printed text without what says how the image was named, where it was read and how its blobs are packed:
 * `image.reference`, `image.source`; `image.digest` and `layers[].digest` (of manifests and blobs);
 * `layers[].mediaType`, `layers[].compressed` and `bytes.compressed`. Everything else is left in, in its order.
 *
 * One thing more could differ, and is not in the test's image: that a file of another owner or mode was stored again with
 * other bytes, but of the same size and time, is known where the source keeps sums of contents and not read elsewhere.
 */
export function comparable({ image, bytes, layers, ...rest }: PrintedAnalysis): string {
  const { reference: _, source: __, digest: ___, ...ofImage } = image
  const { compressed: ____, ...ofBytes } = bytes
  const ofLayers = layers.map(({ digest: _, mediaType: __, compressed: ___, ...layer }) => layer)
  return JSON.stringify({ ...rest, image: ofImage, bytes: ofBytes, layers: ofLayers }, null, 1)
}
