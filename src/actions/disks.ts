/** The disks of the engines as the screens reach them: watched, summed up, named, and freed by plans. */

export { planPrune, planRemoval } from '../engine/prune.ts'
export { carryOut, chosenOf } from '../engine/prune-carry.ts'
export { imageName, layerName, shortId } from '../engine/usage-names.ts'
export {
  addSums,
  containerBytes,
  freedBy,
  imageCosts,
  isLoose,
  isStopped,
  totals,
} from '../engine/usage-sums.ts'
export { watchDisks } from '../engine/usage-watch.ts'
export { verbLine } from './by-hand.ts'
