/** What happens on an engine, told as it happens: Docker's words for it, whoever tells it. */
import * as z from 'zod'
import { asFault, Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import type { Client } from './client.ts'
import type { EngineEvent } from './containers.ts'
import { jsonLines } from './daemon-lines.ts'
import { labels, lenient, number, text } from './fields.ts'

/**
 * One stream of events until the signal. Who lost it asks again with `since`; an event of that very second may come
 * twice. Throws a Fault when the stream ends otherwise.
 */
export async function* engineEvents(
  client: Client,
  { signal, since, onOpen }: { signal: AbortSignal; since?: number; onOpen?: () => void },
): AsyncGenerator<EngineEvent> {
  const name = safe(client.endpoint.name)
  try {
    const stream = await client.stream('/events', {
      query: { filters: JSON.stringify(filtersOf(client)), since: since?.toFixed(9) },
      signal,
    })
    onOpen?.()
    for await (const value of jsonLines(stream)) {
      const event = eventIn(value)
      if (event) yield event
    }
  } catch (error) {
    if (signal.aborted) return
    throw asFault(error, `${name} stopped telling what happens`)
  }
  if (!signal.aborted) throw new Fault(`${name} stopped telling what happens.`)
}

/** One event as Docker would tell it; null for what is none of ours, as an exec of a health check. */
export function eventIn(value: unknown): EngineEvent | null {
  const { Type, Action, Actor, time, timeNano } = lenient(eventItem, value)
  const [word = '', detail = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(Action)?.slice(1) ?? []
  if (!isKind(Type) || word === '' || word.startsWith('exec')) return null
  const action = podmanWords[Type]?.[word] ?? word
  const attributes = action === 'health_status' && detail ? withHealth(Actor.Attributes, detail) : Actor.Attributes
  return {
    kind: Type,
    action,
    // Podman tells volumes by their name alone.
    id: Actor.ID || (attributes.name ?? ''),
    name: attributes.name ?? Actor.ID,
    time: timeNano > 0 ? timeNano / 1e6 : time * 1000,
    attributes,
  }
}

const kinds = ['container', 'image', 'volume', 'network'] as const

/** Docker can leave out by name what health checks do every few seconds; it takes only names that are wanted. */
const wanted = [
  'create start restart stop die kill oom pause unpause rename update destroy health_status commit copy attach detach',
  'import load pull push save tag untag delete prune connect disconnect remove mount unmount',
]

function filtersOf({ kind }: Client): Record<string, readonly string[]> {
  return kind === 'podman' ? { type: kinds } : { type: kinds, event: wanted.join(' ').split(' ') }
}

const podmanWords: Partial<Record<EngineEvent['kind'], Record<string, string>>> = {
  container: { remove: 'destroy', died: 'die', init: 'init', removed: 'destroy' },
  image: { remove: 'delete', loadfromarchive: 'load' },
  volume: { remove: 'destroy' },
  network: { remove: 'destroy' },
}

const eventItem = z.object({
  Type: text,
  Action: text,
  Actor: z.object({ ID: text, Attributes: labels }).catch(() => ({ ID: '', Attributes: Object.create(null) })),
  time: number,
  timeNano: number,
})

function isKind(word: string): word is EngineEvent['kind'] {
  return (kinds as readonly string[]).includes(word)
}

/** `health_status: healthy`: the word goes to the attributes, under the name that Podman has for it. */
function withHealth(attributes: Record<string, string>, word: string): Record<string, string> {
  return Object.assign(Object.create(null), attributes, { health_status: word })
}
