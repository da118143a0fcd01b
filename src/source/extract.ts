/**
 * Files of a stack onto the disk. Nothing is written outside of the destination, no link is followed, and what is there
 * is replaced only when that was asked for. Owners, extended attributes, setuid bits and devices are left behind.
 */
import { Buffer } from 'node:buffer'
import { chmod, link, lstat, mkdir, stat, statfs, symlink, unlink, utimes } from 'node:fs/promises'
import { asFault, Fault } from '../base/errors.ts'
import type { Work } from '../base/progress.ts'
import { formatBytes } from '../base/sizes.ts'
import { safeBytes } from '../base/text.ts'
import { Kind, kindNames } from '../layer/entry.ts'
import { ABSENT, IMPLIED, type Stack } from '../layer/stack.ts'
import { makeFifo, removePart, writeContent } from './extract-file.ts'
import type { Image } from './types.ts'

export interface ExtractOptions extends Work {
  /** Replace files and links that are there, and go into directories that are there. */
  overwrite?: boolean
}

export interface Extracted {
  /** Where it was written, as bytes. */
  to: Uint8Array
  files: number
  directories: number
  links: number
  /** Bytes of content that were written. */
  bytes: number
  /** What was left out, and why, in a few words. */
  skipped: { path: Uint8Array; reason: string }[]
}

/**
 * Writes what stands at `node` as of `layer`, with all that is in it. Into `destination` when that is a directory, else
 * as `destination`, as `cp -r` does; the root's content goes into the destination itself. Throws a Fault when something
 * is in the way, when it does not fit on the disk, or when the image's layers are not what their digests say.
 */
export async function extract(
  image: Image,
  stack: Stack,
  layer: number,
  node: number,
  destination: string,
  options: ExtractOptions = {},
): Promise<Extracted> {
  refuseForgery(image, stack)
  const { current } = stack.view(layer)
  const to = await placeFor(destination, stack, node)
  const plan = planOf(stack, current, node)
  await expectRoom(destination, plan.bytes)
  const job: Job = {
    image,
    stack,
    current,
    node,
    to,
    options,
    result: emptyResult(to),
    written: new Map(),
    made: [],
    done: 0,
    plan,
  }
  for (const one of plan.directories) await guarded(job, one, () => makeDirectory(job, one))
  for (const one of plan.files) await guarded(job, one, () => makeFile(job, one))
  for (const one of plan.links) await guarded(job, one, () => makeLink(job, one))
  for (const one of plan.others) await guarded(job, one, () => makeOther(job, one))
  for (const one of job.made.reverse()) await finishDirectory(job, one)
  return job.result
}

interface Plan {
  directories: number[]
  /** In the order in which the layers store their contents. */
  files: number[]
  links: number[]
  others: number[]
  bytes: number
}

interface Job {
  image: Image
  stack: Stack
  current: Int32Array
  node: number
  to: Buffer
  options: ExtractOptions
  result: Extracted
  /** Where the content of an inode was written, for its other names. */
  written: Map<number, Buffer>
  /** The directories that were not there before. */
  made: number[]
  done: number
  plan: Plan
}

/** Layers that are not what they are said to be are looked at, but never unpacked. */
function refuseForgery(image: Image, stack: Stack): void {
  const all = [...image.anomalies, ...stack.layers.flatMap(index => index.anomalies)]
  const forged = all.find(one => one.kind === 'digest-mismatch' || one.kind === 'diffid-mismatch')
  if (!forged) return
  const what = forged.layer === null ? 'the image' : `layer ${forged.layer}`
  throw new Fault(`Nothing was extracted: ${what} is not what its digest says: ${forged.text.replace(/\.$/, '')}.`, {
    hint: 'strata cat shows single files of it.',
  })
}

async function placeFor(destination: string, stack: Stack, node: number): Promise<Buffer> {
  const place = Buffer.from(destination)
  const there = await stat(destination).catch(() => null)
  if (!there?.isDirectory() || node === 0) return place
  return joined(place, stack.tree.name(node))
}

function planOf(stack: Stack, current: Int32Array, node: number): Plan {
  const plan: Plan = { directories: [], files: [], links: [], others: [], bytes: 0 }
  const inodes = new Set<number>()
  const todo = [node]
  while (todo.length > 0) {
    const at = todo.pop()!
    const ref = current[at]
    if (ref === ABSENT) continue
    const kind = ref === IMPLIED ? Kind.dir : stack.kindOf(ref)
    if (kind === Kind.dir) {
      plan.directories.push(at)
      for (const child of stack.tree.children(at)) todo.push(child)
    } else if (kind === Kind.file || kind === Kind.hardlink) {
      plan.files.push(at)
      const inode = stack.inodeOf(ref)
      if (inode >= 0 && !inodes.has(inode)) plan.bytes += stack.sizeOf(inode)
      inodes.add(inode)
    } else if (kind === Kind.symlink) plan.links.push(at)
    else plan.others.push(at)
  }
  plan.files.sort((a, b) => stack.inodeOf(current[a]) - stack.inodeOf(current[b]))
  return plan
}

async function expectRoom(destination: string, bytes: number): Promise<void> {
  const parent = destination.replace(/\/+[^/]*\/*$/, '') || (destination.startsWith('/') ? '/' : '.')
  const disk = await statfs(destination).catch(() => statfs(parent).catch(() => null))
  const free = disk ? disk.bavail * disk.bsize : Number.POSITIVE_INFINITY
  if (bytes <= free) return
  throw new Fault(
    `${formatBytes(bytes)} do not fit: ${safeBytes(Buffer.from(destination))} has ${formatBytes(free)} left.`,
  )
}

/** A name that the disk can not hold leaves out one path; whatever else fails ends the work. */
async function guarded(job: Job, node: number, make: () => Promise<void>): Promise<void> {
  job.options.signal?.throwIfAborted()
  try {
    await make()
  } catch (error) {
    const code = (error as { code?: unknown }).code
    const reason = impossible.get(String(code))
    if (reason && node !== job.node) job.result.skipped.push({ path: job.stack.tree.path(node), reason })
    else throw asFault(error, `${safeBytes(placeOf(job, node))} can not be written`)
  }
}

const impossible = new Map([
  ['ENAMETOOLONG', 'the name is too long for this disk'],
  ['EILSEQ', 'the name is not allowed on this disk'],
  ['EINVAL', 'the name is not allowed on this disk'],
  ['ERR_INVALID_ARG_VALUE', 'the name holds a zero byte'],
  ['ENOENT', 'its directory is missing'],
])

async function makeDirectory(job: Job, node: number): Promise<void> {
  const place = placeOf(job, node)
  try {
    await mkdir(place, 0o700)
  } catch (error) {
    const there = (error as { code?: unknown }).code === 'EEXIST' ? await lstat(place) : null
    if (!there) throw error
    const mine = node === 0 ? (await stat(place)).isDirectory() : there.isDirectory() && job.options.overwrite
    if (!mine) throw inTheWay(place, there.isDirectory())
    return
  }
  job.made.push(node)
  job.result.directories++
}

async function makeFile(job: Job, node: number): Promise<void> {
  const { stack, current, image, options, result } = job
  const inode = stack.inodeOf(current[node])
  const path = stack.tree.path(node)
  if (inode < 0) {
    result.skipped.push({ path, reason: 'a hard link to something that no layer has' })
    return
  }
  const place = placeOf(job, node)
  await makeWay(place, options.overwrite)
  const twin = job.written.get(inode)
  if (twin) {
    await link(twin, place)
    result.links++
    return
  }
  const { size, mode, mtime, nsec } = stack.entry(inode)
  const content = image.readFile(stack.layerOf(inode), stack.indexOf(inode), { signal: options.signal as AbortSignal })
  const before = job.done
  const report = (bytes: number) => options.onProgress?.({ done: before + bytes, total: job.plan.bytes })
  try {
    await writeContent(place, content, { size, mode, mtime: mtime + nsec / 1e9 }, report)
  } catch (error) {
    if (!(error instanceof Fault) || error.exitCode === 130) throw error
    await removePart(place)
    result.skipped.push({ path, reason: error.message })
    return
  }
  job.done += size
  job.written.set(inode, place)
  result.files++
  result.bytes += size
}

async function makeLink(job: Job, node: number): Promise<void> {
  const place = placeOf(job, node)
  await makeWay(place, job.options.overwrite)
  await symlink(Buffer.from(job.stack.entry(job.current[node]).link ?? []), place)
  job.result.links++
}

async function makeOther(job: Job, node: number): Promise<void> {
  const { kind, mode } = job.stack.entry(job.current[node])
  const path = job.stack.tree.path(node)
  if (kind !== Kind.fifo) {
    job.result.skipped.push({ path, reason: `a ${kindNames[kind]} device is not made` })
    return
  }
  const place = placeOf(job, node)
  await makeWay(place, job.options.overwrite)
  if (await makeFifo(place, mode)) job.result.files++
  else job.result.skipped.push({ path, reason: 'a fifo that could not be made' })
}

/** Modes and times come last: what is written into a directory changes both or needs them changed. */
async function finishDirectory(job: Job, node: number): Promise<void> {
  const ref = job.current[node]
  const entry = ref === IMPLIED ? null : job.stack.entry(ref)
  const place = placeOf(job, node)
  await chmod(place, (entry?.mode ?? 0o755) & 0o1777)
  if (entry) await utimes(place, entry.mtime, entry.mtime).catch(() => {})
}

/** Takes away what is there when that was asked for; a directory is never taken away. */
async function makeWay(place: Buffer, overwrite: boolean | undefined): Promise<void> {
  const there = await lstat(place).catch(() => null)
  if (!there) return
  if (!overwrite || there.isDirectory()) throw inTheWay(place, there.isDirectory())
  await unlink(place)
}

function inTheWay(place: Buffer, directory: boolean): Fault {
  return new Fault(`${safeBytes(place)} is there already.`, {
    hint: directory
      ? '--overwrite goes into directories that are there.'
      : '--overwrite replaces files that are there.',
  })
}

function placeOf({ stack, node, to }: Pick<Job, 'stack' | 'node' | 'to'>, at: number): Buffer {
  if (at === node) return to
  const path = stack.tree.path(at)
  const above = stack.tree.path(node).length
  return joined(to, path.subarray(above === 0 ? 0 : above + 1))
}

function joined(directory: Buffer, name: Uint8Array): Buffer {
  return Buffer.concat([directory, Buffer.from('/'), name])
}

function emptyResult(to: Uint8Array): Extracted {
  return { to, files: 0, directories: 0, links: 0, bytes: 0, skipped: [] }
}
