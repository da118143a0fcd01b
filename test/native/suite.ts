/** Runs the same tests as root and as ordinary users, and looks afterwards whether anything is left on the machine. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { buildHelper, type Identity, makeIdentities, missingForNative } from './helper.ts'
import { makeRoom, type Room } from './room.ts'

const kinds: Identity['kind'][] = ['root', 'sub-ids', 'single id']

/** `tests` is called once for each kind of identity; `room()` is a folder with the base layer, for tests to share. */
export function asEverybody(title: string, tests: (room: () => Room, kind: Identity['kind']) => void): void {
  const missing = missingForNative()
  if (missing !== null) console.warn(`The tests of the native helper are left out: ${missing}.`)
  describe.skipIf(missing !== null)(title, () => {
    const rooms: string[] = []
    let made: ReturnType<typeof makeIdentities>
    beforeAll(() => {
      buildHelper()
      made = makeIdentities()
    })
    afterAll(() => {
      made.remove()
      expect(rooms.filter(path => existsSync(path))).toEqual([])
      expect(processesThatKnow(rooms)).toEqual([])
    })
    for (const kind of kinds) {
      describe(`as ${kind === 'root' ? kind : `a user with ${kind === 'sub-ids' ? kind : 'a single id'}`}`, () => {
        let room: Room
        beforeAll(async () => {
          room = await makeRoom(made.identities.find(who => who.kind === kind)!)
          rooms.push(room.path)
        })
        afterAll(() => room?.remove())
        tests(() => room, kind)
      })
    }
  })
}

/** Processes with a mount of one of these folders, or with one in their command line: containers, helpers, and this one if a mount leaked. */
function processesThatKnow(folders: string[]): string[] {
  const said = (pid: string, file: string) => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'latin1')
    } catch {
      return '' // it ended meanwhile, or is dead and nobody waits for it
    }
  }
  const pids = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  return pids.filter(pid =>
    folders.some(path => said(pid, 'mountinfo').includes(path) || said(pid, 'cmdline').includes(path)),
  )
}
