/** `strata dockerfile`: the Dockerfile that the history tells of. */
import { dockerfileOf } from '../image/dockerfile.ts'
import { writeJsonLines } from './json.ts'
import type { Io } from './output.ts'
import type { Options } from './program.ts'
import { withImage } from './target.ts'

export async function dockerfile(io: Io, [text]: string[], options: Options): Promise<number> {
  return withImage(io, { text, options }, async ({ image, step }) => {
    const text = dockerfileOf(image.config, image.steps.slice(0, step?.index))
    if (options.json) await writeJsonLines(io.out, [{ dockerfile: text }])
    else await io.out.write(text)
    return 0
  })
}
