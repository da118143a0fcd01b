/** The fault that says that an image is nowhere here: a registry may have it. */
import { Fault } from '../base/errors.ts'

export class NoImage extends Fault {
  override readonly name = 'NoImage'
}
