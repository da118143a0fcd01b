/** The preview of a prune: what is chosen, exactly what goes and what that frees, why the rest stays; then it is done. */

import { createStore } from 'zustand/vanilla'
import { bind } from '../../actions/action.ts'
import { addSums } from '../../actions/disks.ts'
import { type PruneContext, pruneActions } from '../../actions/storage.ts'
import type { EngineDisk } from '../../engine/usage-watch.ts'
import type { Screen } from '../screen.ts'
import type { Ui } from '../ui.ts'
import { carryOutAll, questionOf, tellOutcome } from './deed.ts'
import { drawPrune, pruneHeight } from './prune-draw.ts'
import { flipped, type PruneState, type PruneView, pruneView, toggled, usualKinds } from './prune-model.ts'
import { formatSum } from './table.ts'

/** The disks as the screen below watches them. */
export interface PruneSource {
  disks(): readonly EngineDisk[]
  refresh(id: string): void
  look(visible: boolean): void
  subscribe(changed: () => void): () => void
}

/** One list of choices and victims, a cursor over both. */
export function createPrune(ui: Ui, source: PruneSource): Screen {
  const store = createStore<PruneState & { cursor: number }>()(() => ({
    kinds: usualKinds,
    without: new Set(),
    spared: new Set(),
    cursor: 0,
  }))
  const { getState: get } = store
  const viewOf = rememberView()
  const view = (): PruneView => viewOf(source.disks(), get())
  const count = () => view().choices.length + view().victims.length
  const cursor = () => Math.max(0, Math.min(count() - 1, get().cursor))

  const context: PruneContext = {
    canToggle: () => count() > 0,
    toggle(by) {
      const { choices, victims } = view()
      const choice = choices[cursor()]
      if (choice) return store.setState(toggled(get(), choice, by))
      const victim = victims[cursor() - choices.length]
      if (victim)
        store.setState({ spared: flipped(get().spared, victim.key), cursor: Math.min(count() - 1, cursor() + 1) })
    },
    canCarryOut: () => !ui.services.containers.readOnly && view().plans.some(one => one.plan.victims.length > 0),
    async carryOut() {
      const plans = view().plans.filter(one => one.plan.victims.length > 0)
      if (plans.length === 0) return
      const bare = plans.map(one => ({ ...one, plan: { ...one.plan, stays: [] } }))
      if (!(await ui.confirm(questionOf(bare)))) return
      const outcomes = await carryOutAll(ui, plans)
      if (outcomes) tellOutcome(ui, outcomes)
      for (const { id } of plans) source.refresh(id)
    },
    move(by) {
      const page = pruneHeight(ui.bodySize(), view())
      const to =
        typeof by === 'number'
          ? cursor() + by
          : {
              page: cursor() + page,
              '-page': cursor() - page,
              half: cursor() + (page >> 1),
              '-half': cursor() - (page >> 1),
              first: 0,
              last: count() - 1,
            }[by]
      store.setState({ cursor: Math.max(0, Math.min(count() - 1, to)) })
    },
  }
  return {
    id: 'prune',
    title: () => 'Prune',
    summary: theme => [
      [[theme.ok, `frees ${formatSum(addSums(view().plans.map(one => one.plan.frees)))}`]],
      ...(source.disks().some(one => one.asking) ? [[[theme.dim, `measuring${theme.glyph.ellipsis}`] as const]] : []),
    ],
    scopes: () => ['prune'],
    actions: bind(pruneActions, context),
    draw: (size, theme) =>
      drawPrune(size, theme, { ...view(), cursor: cursor(), readOnly: ui.services.containers.readOnly }),
    subscribe(changed) {
      const deaf = [store.subscribe(changed), source.subscribe(changed)]
      return () => {
        for (const stop of deaf) stop()
      }
    },
    mouse(event) {
      if (event.kind === 'wheel') context.move(event.by * 3)
    },
    shown: () => source.look(true),
    hidden: () => source.look(false),
  }
}

/** Worked out again only when what it follows from has changed. */
function rememberView() {
  let last: { usages: readonly unknown[]; state: PruneState; view: PruneView } | null = null
  return (disks: readonly EngineDisk[], { kinds, without, spared }: PruneState): PruneView => {
    const usages = disks.flatMap(one => [one.usage, one.engine])
    const same =
      last !== null &&
      last.state.kinds === kinds &&
      last.state.without === without &&
      last.state.spared === spared &&
      usages.length === last.usages.length &&
      usages.every((one, at) => one === last?.usages[at])
    if (!same || last === null) {
      const state = { kinds, without, spared }
      last = { usages, state, view: pruneView(disks, state) }
    }
    return last.view
  }
}
