/** Indexes one tar-split on this thread, or nothing: what the bench takes the difference of. */
import { controlOf } from '../../src/source/cancel.ts'
import { indexTarSplit } from '../../src/source/store-index.ts'

const [path] = process.argv.slice(2)
if (path !== undefined) {
  const job = { name: 'the layer', layer: 0, path, witnesses: [], tarBytes: null, keep: null }
  await indexTarSplit(job, controlOf())
}
