/** `strata extract`: copies a file or a directory out of the image, as of a step. */
import { resolve } from 'node:path'
import { formatBytes, formatCount } from '../base/sizes.ts'
import { safe, safeBytes } from '../base/text.ts'
import { type Extracted, extract as extractFiles } from '../source/extract.ts'
import { writeJsonLines } from './json.ts'
import type { Io } from './output.ts'
import type { Options } from './program.ts'
import { showProgress } from './progress.ts'
import { resolvePath } from './resolve.ts'
import { withAnalysis } from './target.ts'
import { jsonPath } from './text.ts'

export async function extract(io: Io, [text, path, destination]: string[], options: Options): Promise<number> {
  return withAnalysis(io, { text, options, contents: true }, async ({ image, stack }, target) => {
    const node = resolvePath(stack, target, path, false)
    const progress = showProgress(io.err, 'Extracting')
    let result: Extracted
    try {
      result = await extractFiles(image, stack, target.top, node, resolve(destination), {
        overwrite: options.overwrite === true,
        signal: io.signal,
        onProgress: progress.report,
      })
    } finally {
      progress.end()
    }
    if (options.json) await writeJsonLines(io.out, [resultJson(result)])
    else await io.out.write(`${sentence(result)}\n`)
    for (const { path, reason } of result.skipped) {
      await io.err.write(`left out ${safeBytes(path)}: ${safe(reason)}\n`)
    }
    await io.err.flush()
    return result.skipped.length > 0 ? 1 : 0
  })
}

function sentence({ to, files, directories, links, bytes }: Extracted): string {
  const parts = [many(files, 'file'), many(directories, 'directory', 'directories'), many(links, 'link')]
  return `${parts.filter(Boolean).join(', ') || 'nothing'}, ${formatBytes(bytes)}, in ${safeBytes(to)}`
}

function many(count: number, one: string, more = `${one}s`): string {
  return count === 0 ? '' : `${formatCount(count)} ${count === 1 ? one : more}`
}

function resultJson({ to, files, directories, links, bytes, skipped }: Extracted): unknown {
  const left = skipped.map(({ path, reason }) => ({ ...jsonPath(path), reason }))
  return { to: jsonPath(to).path, files, directories, links, bytes, skipped: left }
}
