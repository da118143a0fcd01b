/** The keys of a container that the Explorer looks into. */
import type { LiveContext } from '../../actions/live.ts'
import { safe } from '../../base/text.ts'
import { commitFrom } from '../containers/commit.ts'
import { actOnNamed } from '../containers/one-deed.ts'
import type { Ui } from '../ui.ts'
import { exportFrom } from './container/exporting.ts'
import type { Opened } from './context.ts'
import { isOfPaths } from './draw.ts'

/** `engine` is null where the person named none. */
export function createLiveContext(
  ui: Ui,
  { engine, name }: { engine: string | null; name: string },
  opened: Opened,
): LiveContext {
  const { containers } = ui.services
  const { session, image } = opened
  const onTop = () => session.layerHere() === image.live?.number
  return {
    mayAct: () => !containers.readOnly,
    onTop,
    onLayer: () => onTop() && opened.focus === 'layers',
    ofPaths: () => isOfPaths(opened.tabs[opened.tab]!) || opened.focus === 'layers',
    async shell() {
      let status = 0
      let failure: unknown = null
      await ui.handOver(async () => {
        try {
          status = await containers.shell(engine, { id: name, name })
        } catch (error) {
          failure = error
        }
      })
      if (failure !== null) ui.fail(failure, 'The shell can not be started')
      else if (status !== 0) ui.toast(`The shell ended with ${status}.`)
    },
    async act(deed) {
      const done = await ui.work(`${name}: ${deed}`, () => actOnNamed(ui, engine, name, deed))
      if (done !== undefined) ui.toast(`${done} ${safe(name)}`)
    },
    async commit() {
      const held = await ui.work(`Looking at ${safe(name)}`, () => opened.held!.now())
      if (!held) return
      const facts = await ui.work(`Looking at ${safe(name)}`, () => held.engine.containers.inspect(held.id))
      if (facts) await commitFrom(ui, held.engine, facts)
    },
    exportChanges: () => exportFrom(ui, engine, name),
    follow() {
      opened.following = !opened.following
      if (opened.following) {
        session.selectStep(image.steps.at(-1)!.index, opened.layerRows())
        if (!isOfPaths(opened.tabs[opened.tab]!)) opened.show(0)
        opened.focus = 'view'
        showNewest(opened)
      }
      opened.changed()
    },
  }
}

/** Puts the cursor on what has changed last, where that has a row. */
export function showNewest({ image, session, tree, changes, tabs, tab }: Opened): void {
  const path = image.live?.layer.newest()
  const { scene, stack } = session.look
  if (!path || !scene?.live) return
  const node = stack.tree.find(path)
  if (node < 0 || !scene.shown(node)) return
  if (tabs[tab]!.pane === 'tree') tree.reveal(node)
  else if (tabs[tab]!.pane === 'changes') changes.reveal(node)
}
