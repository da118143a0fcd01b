/** `strata rmi`: names and images leave the native store. */
import { safe } from '../../base/text.ts'
import { removeImage } from '../../runtime/store/remove.ts'
import { told } from '../containers/told.ts'
import { writeJsonLines } from '../json.ts'
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { ownStore } from './own.ts'

/** Goes on after a failure, as docker does. */
export async function rmi(io: Io, wanted: string[], options: Options): Promise<number> {
  const places = ownStore('rmi', options)
  let code = 0
  for (const one of wanted) {
    try {
      const { untagged, deleted } = await removeImage(places, one, { force: options.force === true })
      if (options.json) await writeJsonLines(io.out, [{ untagged, deleted }])
      else {
        for (const name of untagged) await io.out.write(`Untagged: ${safe(name)}\n`)
        for (const digest of deleted) await io.out.write(`Deleted: ${digest}\n`)
      }
      await io.out.flush()
    } catch (error) {
      await told(io, error)
      code = 1
    }
  }
  return code
}
