/** `strata diff`: what a container has added, changed and deleted; with --follow, what it goes on doing. */
import { Buffer } from 'node:buffer'
import { Fault } from '../../base/errors.ts'
import { formatBytes } from '../../base/sizes.ts'
import { safe, safeBytes, safeJson } from '../../base/text.ts'
import { Kind, kindNames } from '../../layer/entry.ts'
import type { LiveChange } from '../../runtime/upper-watch.ts'
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { writeLines } from '../table.ts'
import { type Found, withEngines } from './engines.ts'

export async function diff(io: Io, [wanted]: string[], options: Options): Promise<number> {
  return withEngines(io, options, async engines => {
    const found = await engines.find(wanted)
    if (options.export !== undefined) return exported(io, found, String(options.export))
    if (options.dockerfile) {
      const { dockerfileLines } = await import('../export-changes.ts')
      await writeLines(io.out, await dockerfileLines(found.engine, found.id, io.signal))
      return 0
    }
    if (options.follow) return follow(io, found, options.json === true)
    const { containerChanges } = await import('../../engine/live-container.ts')
    const changes = await containerChanges(found.engine, found.id, io.signal)
    const lines = options.json
      ? changes.map(one => safeJson(one))
      : changes.map(({ change, path }) => `${change} ${safe(path)}`)
    await writeLines(io.out, lines)
    return 0
  })
}

/** Into a file, or as bytes to standard output. */
async function exported(io: Io, { engine, id }: Found, path: string): Promise<number> {
  let asked: boolean
  if (path === '-') {
    const { exportLayer } = await import('../../engine/export-layer.ts')
    const layer = await exportLayer(engine, id, io.signal)
    if (io.out.terminal) throw new Fault('A layer is no text for a terminal.', { hint: 'Give a file, or a pipe.' })
    for await (const chunk of layer.chunks) await io.out.writeBytes(chunk)
    asked = layer.asked
  } else {
    const { writeLayer } = await import('../export-changes.ts')
    asked = (await writeLayer(engine, id, path, { signal: io.signal })).asked
  }
  if (asked)
    await io.err.write('strata: The upper directory can not be read from here: the engine was asked for each path.\n')
  return 0
}

/** Every change as it stands first, a line `{"sync"}` when all are told, then lines as they happen. */
async function follow(io: Io, { engine, id }: Found, json: boolean): Promise<number> {
  const { followContainer } = await import('../../engine/live-container.ts')
  let batches = 0
  for await (const { changes, notices, every, part } of followContainer(engine, id, io.signal)) {
    for (const change of changes) await io.out.write(`${json ? safeJson(record(change)) : text(change)}\n`)
    for (const notice of notices) await io.err.write(`strata: ${safe(notice)}\n`)
    if (part) continue
    if (json) await io.out.write(`${safeJson({ sync: ++batches, every })}\n`)
    await io.out.flush()
    await io.err.flush()
  }
  return io.signal.aborted ? 130 : 0
}

function record({
  op,
  path,
  kind,
  size,
  mode,
  uid,
  gid,
  mtime,
  written,
  lower,
  lowerSize,
  link,
  reasons,
}: LiveChange): object {
  const name = `/${Buffer.from(path).toString()}`
  const isText = Buffer.from(name).subarray(1).equals(path)
  return {
    change: op,
    path: name,
    ...(isText ? {} : { pathBase64: Buffer.from(path).toString('base64') }),
    type: kindNames[kind],
    size,
    mode: mode.toString(8).padStart(4, '0'),
    uid,
    gid,
    mtime,
    written,
    layer: lower,
    lowerSize,
    link: link === null ? null : Buffer.from(link).toString(),
    reasons,
  }
}

/** `C /var/log/app.log  1.2 MB  +4 kB` */
function text({ op, path, kind, size, written }: LiveChange): string {
  const bytes = op === 'D' || op === '-' || kind !== Kind.file || size === null ? '' : `  ${formatBytes(size)}`
  return `${op} /${safeBytes(path)}${bytes}${written > 0 ? `  +${formatBytes(written)}` : ''}`
}
