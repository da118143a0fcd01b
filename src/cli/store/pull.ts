/** `strata pull`: images of registries into the native store, or (`--engine`) by Docker or Podman into theirs. */
import { safe } from '../../base/text.ts'
import { pullImage } from '../../engine/native/pull.ts'
import { shortDigest } from '../../image/digest.ts'
import { type ImageName, parseImageName } from '../../image/image-name.ts'
import { parsePlatform } from '../../image/platform.ts'
import { shownName } from '../../runtime/store/names.ts'
import { openRegistry } from '../../source/registry/client.ts'
import { told } from '../containers/told.ts'
import { writeJsonLines } from '../json.ts'
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { usage } from '../usage.ts'
import { ownStore } from './own.ts'
import { showLayers } from './pull-progress.ts'
import { accessOf, isNative, registryNameOf, toLines } from './registry.ts'

/** Goes on after a failure, and tells of it in the exit code. */
export async function pull(io: Io, wanted: string[], options: Options): Promise<number> {
  const names = wanted.map(registryNameOf)
  if (!isNative(options)) return (await import('./pull-daemon.ts')).pullByDaemon(io, names, options)
  let code = 0
  for (const name of names) {
    try {
      for await (const one of options.allTags === true ? everyTag(io, name, options) : [name]) {
        // Of many tags one may be an artifact: that is no reason to leave out the others.
        await pullOne(io, one, options).catch(async error => {
          if (io.signal.aborted || options.allTags !== true) throw error
          await told(io, error)
          code = 1
        })
      }
    } catch (error) {
      if (io.signal.aborted || wanted.length === 1) throw error
      await told(io, error)
      code = 1
    }
  }
  return code
}

async function* everyTag(io: Io, name: ImageName, options: Options): AsyncGenerator<ImageName> {
  if (name.tag !== null || name.digest !== null) throw usage('--all-tags wants a name without a tag or digest.')
  const registry = openRegistry(name, { access: accessOf(options), signal: io.signal })
  const tags: string[] = []
  try {
    for await (const tag of registry.tags()) tags.push(tag)
  } finally {
    registry.close()
  }
  for (const tag of tags) yield parseImageName(`${name.registry}/${name.repository}:${tag}`)
}

/** One image into the native store. */
export async function pullOne(io: Io, name: ImageName, options: Options): Promise<void> {
  const places = ownStore('pull', options)
  const quiet = options.quiet === true || options.json === true
  const shown = `${name.registry}/${name.repository}`
  const lines = showLayers(quiet ? { ...io.err, terminal: false } : io.err, quiet ? null : io.out)
  if (!quiet) await io.out.write(`${name.digest ?? name.tag ?? 'latest'}: Pulling from ${safe(shownName(shown))}\n`)
  await io.out.flush()
  const platform = options.platform === undefined ? null : parsePlatform(String(options.platform))
  const access = accessOf(options, sentence => lines.say(sentence))
  const pulled = await pullImage(name, {
    places,
    access,
    platform,
    verify: options.verify === true,
    signal: io.signal,
    progress: quiet ? undefined : toLines(lines),
  }).finally(() => lines.end())
  const { id, digest, fresh, moved } = pulled
  for (const { name: lost, from } of moved)
    await io.err.write(`${safe(shownName(lost))} was ${shortDigest(from)} until now, which has this name no more.\n`)
  await io.err.flush()
  const full = shownName(pulled.name)
  if (options.json === true) await writeJsonLines(io.out, [{ name: full, id, digest, fresh }])
  else if (quiet) await io.out.write(`${digest}\n`)
  else {
    await io.out.write(`Digest: ${digest}\n`)
    await io.out.write(`Status: ${fresh ? 'Downloaded newer image for' : 'Image is up to date for'} ${safe(full)}\n`)
  }
  await io.out.flush()
}
