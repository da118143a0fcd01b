import { expect, test } from 'vitest'
import { uniqueBytes } from '../../../src/engine/unique.ts'

test('an image frees the layers that no other one has', () => {
  expect(freed('a: base=100 x=10', 'b: base=100 y=20 z=1')).toEqual({ a: 10, b: 21 })
})

test('an image below another one frees nothing', () => {
  expect(freed('a: base=100', 'b: base=100 x=1')).toEqual({ a: 0, b: 1 })
})

test('an image with two names counts once', () => {
  expect(freed('a: x=10', 'a: x=10')).toEqual({ a: 10 })
})

test('a layer of unknown size makes the sum unknown only where it is the image’s own', () => {
  expect(freed('a: base=? x=10', 'b: base=? y=?')).toEqual({ a: 10, b: null })
})

function freed(...images: string[]): Record<string, number | null> {
  const read = images.map(line => {
    const [id = '', rest = ''] = line.split(': ')
    const layers = rest
      .split(' ')
      .map(layer => layer.split('='))
      .map(([chainId = '', bytes]) => ({ chainId, bytes: bytes === '?' ? null : Number(bytes) }))
    return { id, layers }
  })
  return Object.fromEntries(uniqueBytes(read))
}
