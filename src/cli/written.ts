/** The Dockerfile that the person has beside an image: `--dockerfile FILE`. */
import { open } from 'node:fs/promises'
import { asFault } from '../base/errors.ts'
import { readWritten, type Written } from '../image/written.ts'
import type { Image } from '../source/types.ts'
import type { Options } from './program.ts'

/** Bytes; what lies behind them is not read. */
const most = 4 << 20

/** Throws a Fault when it can not be read. */
export async function readDockerfile(path: string): Promise<Written> {
  try {
    await using file = await open(path)
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(most) })
    return readWritten(path, buffer.toString('utf8', 0, bytesRead))
  } catch (error) {
    throw asFault(error, `${path} can not be read`)
  }
}

/** Gives the image the Dockerfile that the options name, if they name one. */
export async function besideDockerfile(image: Image, options: Options): Promise<Image> {
  if (typeof options.dockerfile !== 'string') return image
  const file = await readDockerfile(options.dockerfile)
  image.written = { file, target: options.target as string | undefined }
  return image
}
