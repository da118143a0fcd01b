/** The native engine through the interface that the screens use: what happens is told, streams are joined, nothing is left. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Containers } from '../../src/engine/containers.ts'
import { nativeContainers } from '../../src/engine/native/containers.ts'
import { loadImage } from '../../src/engine/native/load.ts'
import { quickId } from '../../src/engine/native/quick-id.ts'
import { type Places, placesOf } from '../../src/runtime/places.ts'
import { keptName } from '../../src/runtime/store/names.ts'
import { openImage } from '../../src/source/open.ts'
import { until } from '../harness/command.ts'
import { dockerArchive } from '../harness/docker-archives.ts'
import { entry, tar } from '../harness/tar.ts'
import { buildHelper, helperPath, missingForNative } from './helper.ts'

const missing = missingForNative()

function busyboxLayer(): Uint8Array {
  const path = execFileSync('sh', ['-c', 'command -v busybox']).toString().trim()
  const links = ['sh', 'cat', 'sleep', 'echo'].map(name => `link bin/${name} -> busybox`).join('\n')
  return tar('dir bin', entry({ path: 'bin/busybox', body: readFileSync(path), mode: 0o755 }), links)
}

describe.skipIf(missing !== null)('the native engine', () => {
  let folder: string
  let places: Places
  let containers: Containers

  beforeAll(async () => {
    buildHelper()
    process.env.STRATA_NATIVE_HELPER = helperPath
    folder = mkdtempSync(join(tmpdir(), 'strata-engine-'))
    places = placesOf({ STRATA_ROOT: join(folder, 'root') }, '/', true)
    const archive = join(folder, 'app.tar')
    const config = { Env: ['PATH=/bin'], Cmd: ['sh'] }
    writeFileSync(archive, dockerArchive({ layers: [busyboxLayer()], names: ['app:1'], config }, 'docker-25'))
    const image = await openImage(archive)
    await loadImage(image, [keptName('app:1')], { places })
    await image.close()
    containers = nativeContainers({
      places,
      surroundings: { env: {}, home: folder, uid: 0 },
      quickId: reference => quickId(places, reference),
      open: () => openImage(archive),
    })
  })

  afterAll(() => {
    delete process.env.STRATA_NATIVE_HELPER
    const left = existsSync(places.state) ? readdirSync(places.state).filter(name => /^[0-9a-f]{64}$/.test(name)) : []
    rmSync(folder, { recursive: true })
    expect(left).toEqual([])
  })

  test('what happens to a container is told as it happens', async () => {
    const stop = new AbortController()
    const told: string[] = []
    const opened = Promise.withResolvers<void>()
    const listening = (async () => {
      for await (const { action, attributes } of containers.events({ signal: stop.signal, onOpen: opened.resolve }))
        told.push(attributes.exitCode === undefined ? action : `${action} ${attributes.exitCode}`)
    })()
    await opened.promise
    const after = async (action: string, work: Promise<unknown>) => {
      await work
      await until(() => told.at(-1) === action, { within: 10_000, failure: () => `${action} after ${told}` })
    }
    const wish = {
      image: 'app:1',
      name: 'one',
      command: ['sh', '-c', 'trap "exit 4" TERM; while :; do sleep 0.05; done'],
    }
    await after('create', containers.create(wish))
    await after('start', containers.start('one'))
    await after('pause', containers.pause('one'))
    expect((await containers.inspect('one')).state).toBe('paused')
    await after('unpause', containers.unpause('one'))
    await after('rename', containers.rename('one', 'two'))
    await after('die 4', containers.stop('two', { timeout: 20 }))
    await after('destroy', containers.remove('two'))
    stop.abort()
    await listening
    expect(told).toEqual(['create', 'start', 'pause', 'unpause', 'rename', 'die 4', 'destroy'])
  })

  test('what its monitor does is told: health, and each run', async () => {
    const stop = new AbortController()
    const told: string[] = []
    const opened = Promise.withResolvers<void>()
    const listening = (async () => {
      for await (const { action, name, attributes } of containers.events({
        signal: stop.signal,
        onOpen: opened.resolve,
      }))
        told.push([name, action, attributes.health_status ?? attributes.exitCode].join(' ').trim())
    })()
    await opened.promise
    const seen = (...what: string[]) =>
      until(() => what.every(one => told.includes(one)), { within: 20_000, failure: () => told.join('\n') })
    const health = { command: 'test -e /well', interval: 50, retries: 2 }
    const well = { image: 'app:1', name: 'well', health, command: ['sh', '-c', 'sleep 1; echo > /well; sleep 100'] }
    await containers.create(well)
    await containers.start('well')
    await seen('well start', 'well health_status unhealthy', 'well health_status healthy')
    expect((await containers.inspect('well')).health).toBe('healthy')
    await containers.remove('well', { force: true })
    const command = ['sh', '-c', 'sleep 0.3; exit 6']
    await containers.create({ image: 'app:1', name: 'again', restart: 'on-failure:2', command })
    await containers.start('again')
    await until(async () => (await containers.inspect('again')).state === 'exited', { within: 20_000 })
    await seen('again die 6')
    expect(told.filter(one => one === 'again start').length).toBeGreaterThanOrEqual(2)
    expect(await containers.inspect('again')).toMatchObject({ restarts: 2, exitCode: 6, restartPolicy: 'on-failure:2' })
    await containers.remove('again')
    stop.abort()
    await listening
  })

  test('attach: what was said so far, what is typed, the exit code', async () => {
    const command = ['sh', '-c', 'echo hello; read x; echo got $x; exit 4']
    const { id } = await containers.create({ image: 'app:1', command, openStdin: true })
    await containers.start(id)
    await until(async () => {
      for await (const _ of containers.logs(id)) return true
      return false
    })
    const session = await containers.attach(id, { replay: true })
    let said = ''
    session.output.on('data', chunk => (said += chunk))
    session.input!.write('typed\n')
    expect(await session.ended).toBe(4)
    expect(said).toBe('hello\ngot typed\n')
    expect(await containers.wait(id)).toBe(4)
    await containers.remove(id)
  })

  test('a session that is closed leaves the container alone', async () => {
    const { id } = await containers.create({ image: 'app:1', command: ['sleep', '1000'] })
    await containers.start(id)
    const session = await containers.attach(id)
    session.close()
    expect(await session.ended).toBe(null)
    expect((await containers.inspect(id)).state).toBe('running')
    await containers.remove(id, { force: true })
  })

  test('exec: streams of its own, and its exit code; a command that is not there is a fault', async () => {
    const { id } = await containers.create({ image: 'app:1', command: ['sleep', '1000'] })
    await containers.start(id)
    const session = await containers.exec(id, { command: ['sh', '-c', 'cat; echo bad >&2; exit 3'], stdin: true })
    let [out, err] = ['', '']
    session.output.on('data', chunk => (out += chunk))
    session.errors!.on('data', chunk => (err += chunk))
    session.input!.end('piped')
    expect([await session.ended, out, err]).toEqual([3, 'piped', 'bad\n'])
    const none = await containers.exec(id, { command: ['no-such-program'] })
    none.output.resume()
    await expect(none.ended).rejects.toThrow('no-such-program')
    await containers.remove(id, { force: true })
  })

  test('stats go on while it runs, and end with it', async () => {
    const { id } = await containers.create({ image: 'app:1', command: ['sh', '-c', 'while :; do :; done'] })
    await containers.start(id)
    const shares: (number | null)[] = []
    for await (const { cpuPercent, memory, pids } of containers.stats(id, { signal: new AbortController().signal })) {
      shares.push(cpuPercent)
      expect([memory > 0, pids]).toEqual([true, 2])
      if (shares.length === 2) await containers.kill(id)
    }
    expect(shares[0]).toBe(null)
    expect(shares[1]).toBeGreaterThan(1)
    expect(shares.length).toBe(2)
    await containers.remove(id)
  })

  test('waiting for one that has not begun waits for its end', async () => {
    const { id } = await containers.create({ image: 'app:1', command: ['sh', '-c', 'exit 9'] })
    const waited = containers.wait(id)
    await containers.start(id)
    expect(await waited).toBe(9)
    await containers.remove(id)
  })

  test('a limit holds', async () => {
    const { id } = await containers.create({
      image: 'app:1',
      command: ['sleep', '1000'],
      memory: 64 << 20,
      pidsLimit: 20,
    })
    await containers.start(id)
    const stop = new AbortController()
    for await (const { memoryLimit } of containers.stats(id, { signal: stop.signal })) {
      expect(memoryLimit).toBe(64 << 20)
      stop.abort()
    }
    await containers.remove(id, { force: true })
  })
})
