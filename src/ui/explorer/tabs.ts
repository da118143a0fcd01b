/** The tabs of the Explorer: those of an image, and those of a container that is looked into. */
import type { Ui } from '../ui.ts'
import { type ChangesTab, createChangesTab } from './changes-tab.ts'
import { createConfigTab, createDockerfileTab } from './config-tab.ts'
import { createContainerConfigTab } from './container/config-tab.ts'
import { type Held, holdLater } from './container/held.ts'
import { createLogsTab, type LogsTab } from './container/logs-tab.ts'
import { createProcessesTab } from './container/processes-tab.ts'
import { createStatsTab } from './container/stats-tab.ts'
import { createHotTab } from './hot-tab.ts'
import type { Session } from './session.ts'
import type { Tab } from './tab.ts'
import { createTreeTab, type TreeTab } from './tree-tab.ts'
import { createWasteTab, type WasteTab } from './waste-tab.ts'

export interface Tabs {
  all: readonly Tab[]
  tree: TreeTab
  changes: ChangesTab
  waste: WasteTab
  /** The engine behind the container; null: an image is looked at. */
  held: Held | null
  logs: LogsTab | null
}

/** `container`: what it is called where the layer on top is alive. */
export function createTabs(
  ui: Ui,
  { look, advice, commandOf }: Session,
  container: { engine: string | null; name: string } | null,
): Tabs {
  const tree = createTreeTab(look)
  const changes = createChangesTab(look)
  const waste = createWasteTab(look, { advice, commandOf })
  const config = createConfigTab(look)
  const { live } = look.world
  if (!live || !container) {
    return {
      all: [tree, changes, waste, config, createDockerfileTab(look)],
      tree,
      changes,
      waste,
      held: null,
      logs: null,
    }
  }
  const held = holdLater(() => ui.services.containers, container)
  const logs = createLogsTab(ui, held, container.name, look.changed)
  const all = [
    tree,
    changes,
    createHotTab(live, look.changed),
    logs,
    createStatsTab(held, look.changed),
    createProcessesTab(held, look.changed),
    createContainerConfigTab(look, config, held),
  ]
  return { all, tree, changes, waste, held, logs }
}
