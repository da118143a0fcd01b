/** What `strata doctor` looks at. Each check looks at one thing, changes nothing, and never throws but when cancelled. */
import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import process from 'node:process'
import { asFault } from '../base/errors.ts'
import { type Engine, type EngineFailure, type EngineInfo, findEngines } from '../engine/engine.ts'
import type { Features } from '../runtime/features.ts'
import type { StoreHint } from '../source/local-stores.ts'
import { asciiOnly, colourLevel, whyNoScreen } from '../ui/terminal/colours.ts'
import type { Finding } from './doctor.ts'
import type { Options } from './program.ts'
import { surroundings } from './surroundings.ts'
import { openOptions } from './target.ts'

/** All checks, running side by side, in the order in which they are shown. */
export function checks(options: Options, signal: AbortSignal): Promise<Finding[]>[] {
  const asked = askEngines(options, signal)
  return [node(), screen(), cache(), engines(asked), stores(asked), fastRemote(), sample(), native()]
}

async function node(): Promise<Finding[]> {
  return [ok('Node', `${process.versions.node}, ${process.platform} ${process.arch}`)]
}

async function screen(): Promise<Finding[]> {
  const { env, stdin, stdout } = process
  const why = whyNoScreen(env, stdin, stdout)
  const mend =
    env.TERM === 'dumb'
      ? 'Start strata in a terminal that is not TERM=dumb.'
      : 'Start strata in a terminal, without a pipe.'
  const screens =
    why === null
      ? ok('screens', `${stdout.columns}x${stdout.rows}, TERM=${env.TERM ?? ''}`)
      : warn('screens', `${why} Commands print text here.`, mend)
  const level = colourLevel(env)
  const colours = { none: 'none', '16': '16', '256': '256', truecolour: '16 million' }[level]
  const wanted = env.NO_COLOR ? ' (NO_COLOR is set)' : ''
  const ascii = asciiOnly(env)
    ? warn('characters', 'ASCII only: the locale is not UTF-8.', 'export LC_ALL=C.UTF-8')
    : ok('characters', 'Unicode')
  return [screens, ok('colours', colours + wanted), ascii]
}

async function cache(): Promise<Finding[]> {
  const { defaultCacheFolder } = await import('../source/index-cache.ts')
  const folder = defaultCacheFolder()
  const nearest = await nearestFolder(folder)
  const writable = await access(nearest, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  )
  if (writable) return [ok('index cache', folder)]
  return [
    warn(
      'index cache',
      `${folder} can not be written: every layer is read anew each time.`,
      'export XDG_CACHE_HOME=DIR',
    ),
  ]
}

/** The folder, or the nearest one above it that is there. */
async function nearestFolder(path: string): Promise<string> {
  const there = await stat(path).catch(() => null)
  return there || dirname(path) === path ? path : nearestFolder(dirname(path))
}

interface Asked {
  engine: Engine
  /** What it says of itself, or why it does not. */
  info: EngineInfo | Error
}

/** The engines that answer and what they say, and those that do not answer. All are closed again. */
async function askEngines(options: Options, signal: AbortSignal) {
  const { engine, context } = openOptions(options)
  const found = await findEngines(surroundings(), { engine, context, signal })
  const ask = async (engine: Engine): Promise<Asked> => {
    const info = await engine.info({ signal }).catch(error => asFault(error, `${engine.id} does not answer`))
    signal.throwIfAborted()
    return { engine, info }
  }
  try {
    return { answers: await Promise.all(found.engines.map(ask)), failures: found.failures }
  } finally {
    for (const one of found.engines) one.close()
  }
}

async function engines(asked: ReturnType<typeof askEngines>): Promise<Finding[]> {
  const { answers, failures } = await asked
  const findings = [...answers.map(answering), ...failures.map(silent)]
  if (findings.length > 0) return findings
  return [
    warn(
      'engines',
      'Neither Docker nor Podman was found: no socket, no context, no DOCKER_HOST.',
      'Archives and layouts open without one: strata ./FILE',
    ),
  ]
}

function answering({ engine: { id, version, api }, info }: Asked): Finding {
  if (info instanceof Error) return warn(id, `${version}, API ${api}; ${info.message}`, null)
  const { driver, root, containerdStore, rootless } = info
  const store = containerdStore ? 'containerd image store' : driver
  return ok(id, `${version}, API ${api}, ${store}${rootless ? ', rootless' : ''}${root ? `, ${root}` : ''}`)
}

function silent({ name, asked, fault }: EngineFailure): Finding {
  return { what: name, state: asked ? 'no' : 'warn', detail: fault.message, mend: fault.hint ?? null }
}

/** The engines' own stores on this machine, where engines say and where they usually are, and whether they may be read. */
async function stores(asked: ReturnType<typeof askEngines>): Promise<Finding[]> {
  const { findLocalStores, listStoreImages } = await import('../source/local-stores.ts')
  const hints = (await asked).answers.flatMap(hintOf)
  const findings = findLocalStores(surroundings(), hints).map(async (location): Promise<Finding> => {
    const { images, reasons } = await listStoreImages([location])
    const count = `${images.length} ${images.length === 1 ? 'image' : 'images'}`
    const [reason] = reasons
    if (!reason) return ok(location.kind, `${location.root}, ${count}`)
    return warn(location.kind, reason.text, reason.hint)
  })
  return Promise.all(findings)
}

/** Where an engine of this machine says that its store lies. */
function hintOf({ engine: { kind, endpoint }, info }: Asked): StoreHint[] {
  if (info instanceof Error || info.root === null || endpoint.address.kind !== 'unix') return []
  const { root, driver, containerdStore } = info
  return [{ engine: kind, root, driver: driver || null, containerdStore }]
}

/** Whether an image may be read through a helper container, where its store may not be. */
async function fastRemote(): Promise<Finding[]> {
  const { readSettings, settingsFile } = await import('./settings.ts')
  const file = settingsFile()
  try {
    const { fastRemote } = await readSettings(file)
    return [ok('fast remote', fastRemote ? `${fastRemote}, says ${file}` : 'asked on the screen; --fast-remote')]
  } catch (error) {
    const { message, hint } = asFault(error, 'The settings can not be read')
    return [warn('fast remote', message, hint ?? null)]
  }
}

async function sample(): Promise<Finding[]> {
  try {
    const { findShell } = await import('../source/sample-shell.ts')
    findShell()
    return [ok('sample', 'strata sample shows an image made from this machine’s own shell')]
  } catch (error) {
    return [warn('sample', error instanceof Error ? error.message : String(error), null)]
  }
}

/** What the native engine can do here, tried by its helper; each thing that it lacks with what mends it. */
async function native(): Promise<Finding[]> {
  const what = 'native engine'
  if (process.platform !== 'linux')
    return [warn(what, 'It needs Linux: here strata shows images and speaks with engines.', null)]
  try {
    const [{ features }, { networkFinding }] = await Promise.all([
      import('../runtime/features.ts'),
      import('./doctor-network.ts'),
    ])
    const found = await features()
    return [...nativeFindings(found), networkFinding({ rules: found.rules })]
  } catch (error) {
    const { message, hint } = asFault(error, 'The native runtime can not be asked')
    return [warn(what, message, hint ?? null)]
  }
}

function nativeFindings(found: Features): Finding[] {
  const what = 'native engine'
  if (!found.root && !found.userNamespaces) {
    const why = found.userNamespacesWhyNot ?? 'the kernel gives an ordinary user no user namespace'
    return [
      { what, state: 'no', detail: `${why}.`, mend: 'Run strata as root, or let this user make user namespaces.' },
    ]
  }
  if (!found.overlay.mounts) {
    return [
      {
        what,
        state: 'no',
        detail: 'The kernel mounts no overlay file system for this user.',
        mend: 'modprobe overlay',
      },
    ]
  }
  const who = found.root ? 'as root' : `rootless, ${found.subIds ? `${found.uids} ids` : 'one id'}`
  const able = ok(what, `${who}, kernel ${found.kernel}, cgroups ${found.cgroups}`)
  if (found.root || found.subIds) return [able]
  const missing =
    found.newuidmap === null ? 'newuidmap is not installed' : '/etc/subuid and /etc/subgid name no ids for this user'
  const mend =
    found.newuidmap === null
      ? 'apt-get install uidmap'
      : 'usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER'
  return [able, warn('sub-ids', `All files of a container have one owner: ${missing}.`, mend)]
}

function ok(what: string, detail: string): Finding {
  return { what, state: 'ok', detail, mend: null }
}

function warn(what: string, detail: string, mend: string | null): Finding {
  return { what, state: 'warn', detail, mend }
}
