/**
 * What the screens reach the world through. The program fills this in; tests hand in their own, so that every screen
 * runs without an engine, a file or a clock.
 */
import type { Work } from '../base/progress.ts'
import type { Image } from '../source/types.ts'
import type { ImageLister } from './image-list.ts'

export interface Services {
  /** The images of this machine. */
  images: ImageLister
  /** Opens an image by reference as the person wrote it (`NAME@STEP` too). Rejects with a Fault. */
  open(reference: string, work?: Work): Promise<Image>
  /** Names that go on from what was typed, for a path: files and directories, directories with a slash at the end. */
  completePath(text: string): Promise<string[]>
  /** Milliseconds since 1970; tests freeze it. */
  now(): number
}
