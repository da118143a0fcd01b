/** The tags of a repository, page by page (OCI distribution spec, "Listing Tags"). */
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import type { Asking } from './ask.ts'
import type { Reading } from './client.ts'
import { nameOf } from './faults.ts'
import type { Reply } from './http.ts'
import { readWhole } from './read-whole.ts'
import { refusal } from './refusal.ts'

/** @throws Fault when the list does not end, or comes back to where it was. */
export async function* listTags(from: Reading, signal: AbortSignal | undefined): AsyncGenerator<string> {
  const { asker, access, pull, name, repository } = from
  const { limits } = access
  const what = `the list of tags of ${safe(name)}`
  const seen = new Set<string>()
  let entries = 0
  let to: Asking['to'] = `/v2/${repository}/tags/list?n=1000`
  for (let page = 0; ; page++) {
    if (page >= limits.pages) throw new Fault(`T${what.slice(1)} has more than ${limits.pages} pages.`)
    const reply: Reply = await asker.ask({ method: 'GET', to, scopes: pull, signal })
    if (reply.status !== 200) throw await refusal(reply, what, limits)
    for (const tag of tagsIn(await readWhole(reply, limits.documentBytes, what, limits), what)) {
      if (++entries > limits.entries) throw new Fault(`T${what.slice(1)} has more than ${limits.entries} entries.`)
      yield tag
    }
    const next = nextPage(reply)
    if (next === null) return
    const url = asker.address(reply, next)
    if (url.origin !== reply.url.origin) throw new Fault(`${nameOf(reply.url)} goes on with ${what} at another host.`)
    if (seen.has(url.href)) throw new Fault(`T${what.slice(1)} comes back to a page that was there before.`)
    seen.add(url.href)
    to = url
  }
}

/** `null` where there are none; what is no tag is left out: it could not be asked for. */
function tagsIn(bytes: Uint8Array, what: string): string[] {
  let tags: unknown
  try {
    tags = (JSON.parse(new TextDecoder().decode(bytes)) as { tags?: unknown } | null)?.tags ?? []
  } catch (error) {
    throw new Fault(`T${what.slice(1)} is no JSON.`, { cause: error })
  }
  if (!Array.isArray(tags)) throw new Fault(`T${what.slice(1)} is no list.`)
  return tags.filter(one => typeof one === 'string' && /^\w[\w.-]{0,127}$/.test(one))
}

/** `Link: <…>; rel="next"` (RFC 8288); null where there is no next one. */
function nextPage({ headers }: Reply): string | null {
  const links = String(headers.link ?? '').slice(0, 16 << 10)
  for (const [, target, parameters] of links.matchAll(/<([^<>]*)>([^<]*)/g))
    if (/;\s*rel\s*=\s*"?next"?/i.test(parameters)) return target
  return null
}
