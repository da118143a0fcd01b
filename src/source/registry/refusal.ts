/** What a registry says when it does not do what was asked (OCI distribution spec, "Error Codes"). */
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import { nameOf } from './faults.ts'
import type { Reply } from './http.ts'
import { readWhole } from './read-whole.ts'
import type { Limits } from './types.ts'

/** What was asked for is not there. */
export class NotFound extends Fault {}

/** A refusal, in the registry's own words where it has some. `doing`: “The manifest … of …”. */
export async function refusal(reply: Reply, doing: string, limits: Limits): Promise<Fault> {
  const said = await wordsOf(reply, limits)
  const name = nameOf(reply.url)
  const why = said === null ? '' : `: ${said}`
  switch (reply.status) {
    case 404:
      return new NotFound(`${name} does not have ${doing}${why}.`)
    case 401:
    case 403:
      return new Fault(`${name} does not let us have ${doing}${why}.`, {
        hint: `Names and passwords are taken from where docker login and podman login keep them: docker login ${name}`,
      })
    case 429:
      return new Fault(`${name} has had too many requests for now${why}.`, {
        hint: 'Try again later, or log in there.',
      })
    default:
      return new Fault(`${name} failed at ${doing}: it answered with ${reply.status}${why}.`)
  }
}

/** `{"errors":[{"code","message","detail"}]}`: the first message, or its code; null when it says nothing. */
async function wordsOf(reply: Reply, limits: Limits): Promise<string | null> {
  try {
    const text = new TextDecoder().decode(await readWhole(reply, 64 << 10, 'its refusal', limits))
    const { errors } = JSON.parse(text) as { errors?: { code?: unknown; message?: unknown }[] }
    const { code, message } = errors?.[0] ?? {}
    const words = typeof message === 'string' && message.trim() !== '' ? message : code
    return typeof words === 'string' ? safe(words.trim().slice(0, 300)).replace(/\.+$/, '') : null
  } catch {
    return null
  } finally {
    reply.close()
  }
}
