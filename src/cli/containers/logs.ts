/** `strata logs`: what a container has said, and goes on saying. */
import { Buffer } from 'node:buffer'
import { parseMoment } from '../../base/durations.ts'
import { safe, safeBytes } from '../../base/text.ts'
import type { LogLine } from '../../engine/containers.ts'
import type { Io, Output } from '../output.ts'
import type { Options } from '../program.ts'
import { usage } from '../usage.ts'
import { withEngines } from './engines.ts'

export async function logs(io: Io, [wanted]: string[], options: Options): Promise<number> {
  const query = {
    follow: options.follow === true,
    tail: tailOf(options.tail as string | undefined),
    since: momentOf(options.since as string | undefined, '--since'),
    until: momentOf(options.until as string | undefined, '--until'),
    signal: io.signal,
  }
  return withEngines(io, options, async engines => {
    const { engine, id } = await engines.find(wanted)
    const tty = (await engine.containers.inspect(id)).tty
    const timestamps = options.timestamps === true
    let begun = { stdout: false, stderr: false }
    for await (const line of engine.containers.logs(id, query)) {
      const out = line.stream === 'stderr' && !tty ? io.err : io.out
      await write(out, line, timestamps && !begun[line.stream])
      begun = { ...begun, [line.stream]: line.partial === true }
      if (query.follow) await out.flush()
    }
    await io.out.flush()
    await io.err.flush()
    return 0
  })
}

/** Bytes as they are into a pipe; harmless ones on a terminal, where colours and line starts are kept. */
async function write(out: Output, { bytes, time, partial }: LogLine, stamp: boolean): Promise<void> {
  const before = stamp && time !== null ? `${isoNanoseconds(time)} ` : ''
  const after = partial ? '' : '\n'
  if (out.terminal) await out.write(before + shown(bytes) + after)
  else await out.writeBytes(Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)]))
}

/** `\x1b[…m` passes, everything else that could drive a terminal does not. */
function shown(bytes: Uint8Array): string {
  const pieces = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    .toString('latin1')
    .replace(/\r$/, '')
    .split(/(\x1b\[[\d;:]{0,64}m|\t)/)
  const colours = pieces.some(piece => piece.startsWith('\x1b['))
  const text = pieces.map((piece, at) => (at % 2 === 1 ? piece : safeBytes(Buffer.from(piece, 'latin1')))).join('')
  return colours ? `${text}\x1b[0m` : text
}

/** `2026-11-22T07:41:03.123456789Z`, as docker writes it. */
function isoNanoseconds(time: bigint): string {
  const seconds = new Date(Number(time / 1_000_000_000n) * 1000).toISOString().slice(0, 19)
  return `${seconds}.${String(time % 1_000_000_000n).padStart(9, '0')}Z`
}

function tailOf(text: string | undefined): number | undefined {
  if (text === undefined || text === 'all') return undefined
  if (/^\d{1,12}$/.test(text)) return Number(text)
  throw usage(`“${safe(text)}” is no number of lines.`, 'Write --tail 100, or --tail all.')
}

function momentOf(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined
  const moment = parseMoment(text, Date.now())
  if (moment !== null) return moment
  throw usage(`${flag} “${safe(text)}” is no time.`, 'Write 10m, 1h30m, 2026-11-22T07:00, or seconds since 1970.')
}
