/** Looking for text or bytes in the file that is viewed: streams through it, with progress, and can be cancelled. */
import { formatBytes } from '../../../base/sizes.ts'
import { safe } from '../../../base/text.ts'
import type { Ui } from '../../ui.ts'
import { firstIn, lastIn, type Needle, parseNeedle } from './search.ts'
import type { FileWindow } from './window.ts'

export interface FileSearch {
  ask(): void
  asked(): boolean
  again(by: 1 | -1): Promise<void>
  /** What is to stand out in the text; empty for nothing. */
  found(): string
}

export interface Searched {
  window: FileWindow
  /** What lies above this offset is above the screen. */
  from(): number
  /** The first offset to look at when searching down. */
  below(): number
  goTo(offset: number): void
}

export function createFileSearch(ui: Ui, file: Searched): FileSearch {
  const { window } = file
  let needle: Needle | null = null
  /** Where it was found last: the next search goes on from there. */
  let last = -1

  const look = (from: number, to: number, backwards: boolean) =>
    ui.work(`searching ${safe(needle!.text)}`, async ({ signal, onProgress }) => {
      const report = (done: number) => onProgress({ done, total: to - from })
      const stream = window.read(from, to, signal)
      const at = await (backwards ? lastIn : firstIn)(stream, needle!, report)
      return at < 0 ? -1 : at + from
    })

  const down = async (from: number) => {
    if (!needle) return
    const before = from
    let at = await look(Math.min(from, window.size), window.size, false)
    if (at === -1 && before > 0) {
      at = await look(0, Math.min(window.size, before + needle.bytes.length), false)
      if (at !== undefined && at >= 0) ui.toast('from the top again')
    }
    tell(at)
  }

  const tell = (at: number | undefined) => {
    if (at === undefined) return
    if (at < 0) return ui.toast(`“${safe(needle!.text)}” is not in these ${formatBytes(window.size)}.`, 'warning')
    last = at
    file.goTo(at)
  }

  return {
    ask() {
      ui.prompt({
        label: 'search',
        text: needle?.text ?? '',
        submit(text) {
          needle = parseNeedle(text)
          last = -1
          if (needle) void down(file.from())
          else ui.changed()
        },
      })
    },
    asked: () => needle !== null,
    async again(by) {
      if (!needle) return
      if (by === 1) return down(last >= 0 ? last + 1 : file.below())
      const from = last >= 0 ? last + needle.bytes.length - 1 : file.from()
      let at = await look(0, from, true)
      if (at === -1) {
        at = await look(0, window.size, true)
        if (at !== undefined && at >= 0) ui.toast('from the end again')
      }
      tell(at)
    },
    found: () => (needle && !/^0x/i.test(needle.text) ? needle.text : ''),
  }
}
