/** Foreign JSON: bounded in size and depth, and of the shape that a schema says, before anything looks at it. */
import type * as z from 'zod'
import { Fault, reasonOf } from '../base/errors.ts'

/** Nothing that describes an image is nested deeper than a few dozen levels. */
const MAX_DEPTH = 200

/** The value of a JSON text. @throws Fault naming `what` when it is none. */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  const text = new TextDecoder().decode(bytes)
  if (depthOf(bytes) > MAX_DEPTH) throw new Fault(`${what} is nested more than ${MAX_DEPTH} levels deep.`)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Fault(`${what} is no JSON: ${jsonReason(error)}.`, { cause: error })
  }
}

/** The value of a JSON text, in the shape of the schema. @throws Fault that says where it is not. */
export function readJson<T>(bytes: Uint8Array, schema: z.ZodType<T>, what: string): T {
  const result = schema.safeParse(parseJson(bytes, what))
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const where = issue && issue.path.length > 0 ? ` at ${issue.path.join('.').slice(0, 200)}` : ''
  throw new Fault(`${what} does not have the shape that it should have${where}: ${issue?.message ?? 'unknown reason'}.`)
}

/** V8 quotes the text in its messages; a foreign text may be anything, so only its first words are kept. */
function jsonReason(error: unknown): string {
  return reasonOf(error)
    .replace(/["“,].*$/s, '')
    .trim()
    .slice(0, 100)
}

function depthOf(bytes: Uint8Array): number {
  let depth = 0
  let deepest = 0
  let quoted = false
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (quoted) {
      if (byte === 0x5c) at++
      else if (byte === 0x22) quoted = false
    } else if (byte === 0x22) quoted = true
    else if (byte === 0x7b || byte === 0x5b) deepest = Math.max(deepest, ++depth)
    else if (byte === 0x7d || byte === 0x5d) depth--
  }
  return deepest
}
