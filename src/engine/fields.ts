/** Fields of engines' answers, of which the shapes are made: what is not what it should be becomes a default, all is bounded. */
import * as z from 'zod'
import type { Digest } from '../image/types.ts'

/** How much of anything is taken: bytes of a text, rows of a list. */
export const most = { images: 100_000, rows: 10_000, items: 10_000, text: 1 << 20 }

export const text = z
  .string()
  .transform(value => value.slice(0, most.text))
  .catch('')
export const number = z.number().catch(0)
export const flag = z.boolean().catch(false)
export const texts = z.array(z.unknown()).transform(strings).catch([])
/** Without a prototype: a label named `__proto__` is one like any other. */
export const labels = z
  .custom<Record<string, unknown>>(value => typeof value === 'object' && value !== null)
  .transform(record => {
    const kept: Record<string, string> = Object.create(null)
    for (const [name, value] of Object.entries(record).slice(0, most.items))
      kept[name] = typeof value === 'string' ? value : ''
    return kept
  })
  .catch(() => Object.create(null))

/** A value that is no object at all reads as an empty one. */
export function lenient<T>(shape: z.ZodType<T>, value: unknown): T {
  return shape.parse(typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {})
}

/** A field that is an object of this shape, an empty one where it is anything else. */
export function nested<T>(shape: z.ZodType<T>) {
  return z
    .unknown()
    .optional()
    .transform(value => lenient(shape, value))
}

/** Podman leaves the prefix out in places. */
export function digestOf(id: string): Digest {
  return /^[0-9a-f]{64}$/.test(id) ? `sha256:${id}` : id
}

function strings(list: unknown[]): string[] {
  return list
    .filter(one => typeof one === 'string')
    .slice(0, most.items)
    .map(one => one.slice(0, most.text))
}
