import { expect, test } from 'vitest'
import type { EngineHistoryRow } from '../../../src/engine/engine.ts'
import { ancestry, inferHistory, stepImages } from '../../../src/engine/history.ts'

test('rows with bytes own the layers', () => {
  expect(owners(2, ['ADD x', 10], ['ENV A=1', 0], ['RUN make', 5], ['CMD x', 0])).toBe('# . # .')
})

test('a RUN without bytes owns a layer when one is left, an ENV does not', () => {
  expect(owners(2, ['ADD x', 10], ['ENV A=1', 0], ['RUN /bin/sh -c rm x # buildkit', 0])).toBe('# . #')
  expect(owners(2, ['ADD x', 10], ['/bin/sh -c #(nop)  ENV A=1', 0], ['/bin/sh -c rm x', 0])).toBe('# . #')
  expect(owners(1, ['ADD x', 10], ['ENV A=1', 0], ['/bin/sh -c true', 0])).toBe('# . .')
})

test('a WORKDIR owns a layer only when RUN, COPY and ADD leave one', () => {
  expect(owners(3, ['ADD x', 10], ['WORKDIR /new', 0], ['RUN /bin/sh -c rm x', 0])).toBe('# # #')
  expect(owners(2, ['ADD x', 10], ['WORKDIR /old', 0], ['RUN /bin/sh -c rm x # buildkit', 0])).toBe('# . #')
})

test('the classic builder makes no layer for a RUN that changed nothing: where a WORKDIR may have made it, it is a guess', () => {
  expect(owners(2, ['ADD x', 10], ['/bin/sh -c true', 0], ['/bin/sh -c #(nop) WORKDIR /new', 0])).toBe('# # . ?')
})

test('what the layers do not tell is guessed from below, and said to be a guess', () => {
  expect(owners(2, ['ADD x', 10], ['RUN true', 0], ['RUN rm x', 0])).toBe('# # . ?')
  expect(owners(1, ['ADD x', 10], ['RUN true', 0], ['RUN rm x', 0])).toBe('# . .')
  expect(owners(1, ['ADD x', 10], ['ADD y', 5])).toBe('# # ?')
  expect(owners(3, ['ADD x', 10])).toBe('# ?')
})

test('an import or a commit has no instruction and owns a layer', () => {
  expect(owners(2, ['', 0], ['ENV A=1', 0], ['bash', 0])).toBe('# . #')
})

test('how many layers the image of a row has decides where it is known', () => {
  const rows = [row('ADD x', 10), row('RUN true', 0), row('WORKDIR /new', 0), row('RUN rm x', 0)]
  expect(shown(inferHistory(rows, 3, [1, 1, 2, 3]))).toBe('# . # #')
  expect(shown(inferHistory(rows, 3, [1, 1, null, null]))).toBe('# . # #')
})

test('times are seconds; what can not be a time is none', () => {
  const { lines } = inferHistory(
    [
      { ...row('CMD x', 0), created: 5 },
      { ...row('CMD x', 0), created: 1e300 },
    ],
    0,
  )
  expect(lines.map(line => line.created)).toEqual(['1970-01-01T00:00:05Z', null])
})

test('the chain of parents ends where it ends or turns back', () => {
  const images = [image('c', 'b'), image('b', 'a'), image('a', null), image('x', 'y'), image('y', 'x')]
  expect(ancestry('c', images)).toEqual(['c', 'b', 'a'])
  expect(ancestry('x', images)).toEqual(['x', 'y'])
  expect(ancestry('gone', images)).toEqual(['gone'])
})

test('docker names the image of each row; podman’s rows name others with the same layers, its chain is right', () => {
  const rows = [{ ...row('ADD', 1), imageId: 'a' }, row('ENV', 0), { ...row('CMD', 0), imageId: 'wrong' }]
  expect(stepImages('docker', rows, [])).toEqual(['a', null, 'wrong'])
  expect(stepImages('podman', rows, ['c', 'b'])).toEqual([null, 'b', 'c'])
})

const row = (createdBy: string, size: number): EngineHistoryRow => ({
  createdBy,
  size,
  imageId: null,
  created: null,
  comment: null,
})

const image = (id: string, parent: string | null) => ({
  id,
  parent,
  names: [],
  digests: [],
  created: null,
  size: 0,
  shared: null,
  containers: null,
  labels: {},
})

/** `#` a row with a layer, `.` one without, `?` at the end where it was guessed. */
function owners(layers: number, ...rows: [string, number][]): string {
  return shown(
    inferHistory(
      rows.map(([text, size]) => row(text, size)),
      layers,
    ),
  )
}

function shown({ lines, sure }: ReturnType<typeof inferHistory>): string {
  return [...lines.map(line => (line.emptyLayer ? '.' : '#')), ...(sure ? [] : ['?'])].join(' ')
}
