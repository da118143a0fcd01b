/** A container that did not start is no container that was lost. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { failureOf, forgetFailure, noteFailure } from '../../../src/runtime/containers/failure.ts'
import type { ContainerRecord } from '../../../src/runtime/containers/record.ts'
import { conditionOf } from '../../../src/runtime/containers/states.ts'
import type { Places } from '../../../src/runtime/places.ts'
import { scratch } from '../../harness/scratch.ts'

function container(log: string | null) {
  const path = scratch().path
  const places = { containers: join(path, 'containers'), state: join(path, 'state') } as Places
  const id = 'a'.repeat(64)
  mkdirSync(join(places.containers, id), { recursive: true })
  if (log !== null) writeFileSync(join(places.containers, id, 'log'), log)
  return { places, id, condition: () => conditionOf(places, { id } as ContainerRecord, null) }
}

test.each([
  ['never tried', null, 'created'],
  ['that said nothing, and of which nothing is known', '', 'created'],
  ['that said something, and of which nothing is known', '{"log":"hello\\n"}\n', 'lost'],
])('one %s', (_, log, condition) => {
  expect(container(log).condition()).toBe(condition)
})

test('one that ran before and does not start now says why, until somebody tries again', () => {
  const { places, id, condition } = container('{"log":"hello\\n"}\n')
  noteFailure(places.containers, id, new Error('Start /nosuch: No such file or directory.'))
  expect(condition()).toBe('created')
  expect(failureOf(places.containers, id)).toBe('Start /nosuch: No such file or directory.')
  forgetFailure(places.containers, id)
  expect(failureOf(places.containers, id)).toBeNull()
})

test('one that is gone has no failure to keep', () => {
  const { places } = container(null)
  expect(() => noteFailure(places.containers, 'b'.repeat(64), 'x')).not.toThrow()
})
