/** Runs the same tests as root and as ordinary users, and looks afterwards whether anything is left on the machine. */
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { buildHelper, helperPath, type Identity, makeIdentities, missingForNative } from './helper.ts'
import { makeRoom, type Room } from './room.ts'

const kinds: Identity['kind'][] = ['root', 'sub-ids', 'single id']

/** `tests` is called once for each kind of identity; `room()` is a folder with the base layer, for tests to share. */
export function asEverybody(title: string, tests: (room: () => Room, kind: Identity['kind']) => void): void {
  const missing = missingForNative()
  if (missing !== null) console.warn(`The tests of the native helper are left out: ${missing}.`)
  describe.skipIf(missing !== null)(title, () => {
    let made: ReturnType<typeof makeIdentities>
    let before: Left
    beforeAll(() => {
      buildHelper()
      before = left()
      made = makeIdentities()
    })
    afterAll(() => {
      made.remove()
      expect(left()).toEqual(before)
    })
    for (const kind of kinds) {
      describe(`as ${kind === 'root' ? kind : `a user with ${kind === 'sub-ids' ? kind : 'a single id'}`}`, () => {
        let room: Room
        beforeAll(async () => {
          room = await makeRoom(made.identities.find(who => who.kind === kind)!)
        })
        afterAll(() => room?.remove())
        tests(() => room, kind)
      })
    }
  })
}

interface Left {
  mounts: string[]
  processes: string[]
}

/** Mounts of this namespace in a folder of these tests, and processes that run the helper; dead ones that nobody waits for are not ours to bury. */
function left(): Left {
  const mounts = readFileSync('/proc/self/mountinfo', 'latin1')
  const pids = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  const runsHelper = (pid: string) => {
    try {
      if (readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ')) return false
      const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1')
      return command.startsWith(helperPath) || readFileSync(`/proc/${pid}/comm`, 'latin1') === 'strata-init\n'
    } catch {
      return false
    }
  }
  return {
    mounts: mounts.split('\n').filter(line => line.includes('strata-native-') || line.includes('strata-canary-')),
    processes: pids.filter(runsHelper),
  }
}
