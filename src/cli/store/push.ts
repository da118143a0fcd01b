/** `strata push`: an image of the native store into a registry. */
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import { nativeImages } from '../../engine/native/images.ts'
import { type PushPhase, pushImage } from '../../engine/native/push.ts'
import { getImage, shownName } from '../../runtime/store/names.ts'
import { writeJsonLines } from '../json.ts'
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { ownStore } from './own.ts'
import { type LayerLine, showLayers } from './pull-progress.ts'
import { accessOf, isNative, registryNameOf } from './registry.ts'

export async function push(io: Io, [source, target]: string[], options: Options): Promise<number> {
  if (!isNative(options)) return (await import('./pull-daemon.ts')).pushByDaemon(io, source, target, options)
  const places = ownStore('push', options)
  const { image } = getImage(nativeImages(places), source)
  const to = registryNameOf(target ?? source.replace(/^strata:/, ''))
  if (to.digest !== null)
    throw new Fault(`“${safe(to.text)}” names a digest: an image is pushed under a tag.`, { exitCode: 2 })
  const quiet = options.quiet === true || options.json === true
  const lines = showLayers(quiet ? { ...io.err, terminal: false } : io.err, quiet ? null : io.out)
  const repository = shownName(`${to.registry}/${to.repository}`)
  if (!quiet) await io.out.write(`The push refers to repository [${safe(repository)}]\n`)
  await io.out.flush()
  const { digest, bytes } = await pushImage(image, to, {
    places,
    access: accessOf(options, sentence => lines.say(sentence)),
    signal: io.signal,
    progress: (layer, done, total, phase) => lines.layer({ digest: layer, done, total, ...words[phase] }),
  }).finally(() => lines.end())
  const tag = to.tag ?? 'latest'
  if (options.json === true) await writeJsonLines(io.out, [{ name: `${repository}:${tag}`, digest, bytes }])
  else if (quiet) await io.out.write(`${digest}\n`)
  else await io.out.write(`${safe(tag)}: digest: ${digest} size: ${bytes}\n`)
  return 0
}

/** docker's words. */
const words: Record<PushPhase, Pick<LayerLine, 'doing' | 'kind'>> = {
  waiting: { doing: 'Waiting', kind: 'waits' },
  compressing: { doing: 'Compressing', kind: 'waits' },
  sending: { doing: 'Pushing', kind: 'moves' },
  there: { doing: 'Layer already exists', kind: 'over' },
  mounted: { doing: 'Mounted from another repository', kind: 'over' },
  done: { doing: 'Pushed', kind: 'over' },
}
