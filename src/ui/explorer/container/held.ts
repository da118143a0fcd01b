/** The engine behind the container that is looked into: asked for when a tab first needs it, let go with the screen. */
import type { ContainersService } from '../../../actions/containers-service.ts'
import { reasonOf } from '../../../base/errors.ts'
import { safe } from '../../../base/text.ts'
import type { ContainerEngine } from '../../../engine/containers.ts'

/** A container whose engine is open. */
export interface HeldContainer {
  engine: ContainerEngine
  id: string
}

export interface Held {
  /** The container, once it is there. Rejects with a Fault; the next call asks again. */
  now(): Promise<HeldContainer>
  /** Why it could not be had, a sentence. */
  trouble(): string | null
  close(): void
}

export function holdLater(
  services: () => Pick<ContainersService, 'reach'>,
  { engine, name }: { engine: string | null; name: string },
): Held {
  const over = Promise.withResolvers<void>()
  let asked: Promise<HeldContainer> | null = null
  let trouble: string | null = null
  const ask = () => {
    const got = Promise.withResolvers<HeldContainer>()
    const reached = services().reach(engine, name, async (found, id) => {
      trouble = null
      got.resolve({ engine: found, id })
      await over.promise
    })
    reached.catch(error => {
      asked = null
      trouble = safe(reasonOf(error))
      got.reject(error)
    })
    return got.promise
  }
  return {
    now: () => (asked ??= ask()),
    trouble: () => trouble,
    close: over.resolve,
  }
}
