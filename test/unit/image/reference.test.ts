import { describe, expect, test } from 'vitest'
import { fullName, parseImageName } from '../../../src/image/image-name.ts'
import { parseReference, resolveStep } from '../../../src/image/reference.ts'

const hex = '3f2a'.repeat(16)

/** A reference in a few words. */
function told(text: string): string {
  const reference = parseReference(text)
  const step =
    reference.step && (reference.step.by === 'number' ? `@${reference.step.number}` : `@diffId ${reference.step.hex}`)
  const words = [reference.kind]
  if ('engine' in reference) words.push(reference.engine as typeof reference.kind)
  if ('path' in reference) words.push(reference.path as typeof reference.kind)
  if ('position' in reference && reference.position !== null)
    words.push(`#${reference.position}` as typeof reference.kind)
  if ('name' in reference && reference.name !== null) {
    const name = reference.name
    words.push((typeof name === 'string' ? name : (fullName(name) ?? `id ${name.id}`)) as typeof reference.kind)
  }
  return [...words, step].filter(Boolean).join(' ')
}

describe('references', () => {
  test.each([
    ['-', 'stdin'],
    ['sample', 'sample'],
    ['sample@3', 'sample @3'],
    ['./build.tar', 'path ./build.tar'],
    ['./build.tar@-1', 'path ./build.tar @-1'],
    ['/srv/images/layout', 'path /srv/images/layout'],
    ['..', 'path ..'],
    ['build.tar', 'path build.tar'],
    ['out/image.tar.gz', 'path out/image.tar.gz'],
    ['./node_modules/@scope/a.tar', 'path ./node_modules/@scope/a.tar'],
    [`./x.tar@sha256:${hex}`, `path ./x.tar @diffId ${hex}`],
    ['node', 'name docker.io/library/node:latest'],
    ['node:24@10', 'name docker.io/library/node:24 @10'],
    ['myapp:1@3f2a', 'name docker.io/library/myapp:1 @diffId 3f2a'],
    ['docker:dind', 'name docker.io/library/docker:dind'],
    ['localhost:5000/a/b:c', 'name localhost:5000/a/b:c'],
    ['ghcr.io/org/app', 'name ghcr.io/org/app:latest'],
    [`node@sha256:${hex}`, `name docker.io/library/node@sha256:${hex}`],
    [`node@sha256:${hex}@4`, `name docker.io/library/node@sha256:${hex} @4`],
    [`sha256:${hex}`, `name id ${hex}`],
    ['docker-daemon:node:24', 'engine docker docker.io/library/node:24'],
    ['podman:localhost/app', 'engine podman localhost/app:latest'],
    ['strata:app', 'engine native docker.io/library/app:latest'],
    ['docker://quay.io/a/b:1@2', 'registry quay.io/a/b:1 @2'],
    ['docker-archive:/tmp/a.tar', 'docker-archive /tmp/a.tar'],
    ['docker-archive:/tmp/a.tar:app:dev@2', 'docker-archive /tmp/a.tar app:dev @2'],
    ['docker-archive:/tmp/a.tar:@0', 'docker-archive /tmp/a.tar #0'],
    ['oci:layout:1.0', 'oci layout 1.0'],
    ['oci-archive:a.tar', 'oci-archive a.tar'],
  ])('%s is: %s', (text, words) => expect(told(text)).toBe(words))

  test.each([
    '',
    'a\0b',
    'Node',
    'node:',
    'node@0',
    'node@nonsense',
    'node@sha256:12',
    'no de',
    'docker://',
    `docker://sha256:${hex}`,
    'oci:',
    'docker-archive:x.tar:',
    'docker-daemon:',
    'a/../b',
    '\x1b[31m',
  ])('%j is refused in a sentence that is safe to show', text => {
    expect(() => parseReference(text)).toThrowError(expect.objectContaining({ name: 'Fault', exitCode: 2 }))
    try {
      parseReference(text)
    } catch (error) {
      expect((error as Error).message).toMatch(/\.$/)
      expect((error as Error).message).not.toMatch(/\p{Cc}/u)
    }
  })

  test('short hex may be a name and may be an id', () => {
    expect(parseImageName('873c0bd050b0')).toMatchObject({ id: '873c0bd050b0', repository: 'library/873c0bd050b0' })
    expect(parseImageName('node').id).toBeNull()
  })
})

describe('a step selector', () => {
  const steps = [1, 2, 3].map(index => ({ index, layer: index === 2 ? null : index >> 1 }))
  const diffIds = ['sha256:aaaa1', 'sha256:aabb2']
  test.each([
    [{ by: 'number', number: 2 } as const, 2],
    [{ by: 'number', number: -1 } as const, 3],
    [{ by: 'number', number: -3 } as const, 1],
    [{ by: 'diffId', hex: 'aabb' } as const, 3],
  ])('%o is step %i', (selector, index) => expect(resolveStep(selector, steps, diffIds)).toBe(index))

  test.each([
    { by: 'number', number: 4 } as const,
    { by: 'number', number: -4 } as const,
    { by: 'diffId', hex: 'aa' } as const,
    { by: 'diffId', hex: 'ff' } as const,
  ])('%o is none', selector => expect(() => resolveStep(selector, steps, diffIds)).toThrow())
})
