/** A Dockerfile as it was written: its instructions, its stages, and the steps that they made. */
import { expect, test } from 'vitest'
import { stepsOf } from '../../../src/image/steps.ts'
import { readWritten, writtenPath } from '../../../src/image/written.ts'
import { stepsWritten } from '../../../src/image/written-steps.ts'

const read = (text: string) => readWritten('Dockerfile', text)
const told = (text: string) =>
  read(text).instructions.map(one => `${one.from}-${one.to} ${one.stage} ${one.keyword} ${one.text}`)

test('instructions stand on lines; comments and empty lines belong to none', () => {
  expect(told('# a\nFROM x\n\n# b\nRUN make\ncmd ["a"]\n')).toEqual([
    '2-2 0 FROM x',
    '5-5 0 RUN make',
    '6-6 0 CMD ["a"]',
  ])
})

test('a continued line goes on over comments and empty lines', () => {
  expect(told('FROM x\nRUN a && \\\n  # why\n\n  b \\ \n  && c\nUSER d')).toEqual([
    '1-1 0 FROM x',
    '2-6 0 RUN a && \n  b \n  && c',
    '7-7 0 USER d',
  ])
})

test('a continuation at the end of the file ends with it', () => {
  expect(told('FROM x\nRUN a \\')).toEqual(['1-1 0 FROM x', '2-2 0 RUN a \\'])
  expect(told('FROM x\nRUN a \\\n# b')[1]).toMatch(/^2-3 0 RUN a/)
})

test('the escape directive changes what continues a line', () => {
  expect(told('# escape=`\nFROM x\nRUN dir c:\\\nRUN a `\n b')).toEqual([
    '2-2 0 FROM x',
    '3-3 0 RUN dir c:\\',
    '4-5 0 RUN a \n b',
  ])
})

test('a here-document belongs to its instruction, whatever stands in it', () => {
  const lines = told('FROM x\nRUN <<EOF cat <<-"B"\nFROM y\nEOF\n\tRUN z\n\tB\nRUN cat <<<word\nUSER u')
  expect(lines.map(line => line.split(' ').slice(0, 3).join(' '))).toEqual([
    '1-1 0 FROM',
    '2-6 0 RUN',
    '7-7 0 RUN',
    '8-8 0 USER',
  ])
})

test('a here-document that never ends takes the rest', () => {
  expect(told('FROM x\nRUN <<EOF\nRUN a').length).toBe(2)
})

test('a stage goes through the stages that it is built from', () => {
  const file = read(
    'ARG V=1\nFROM base:$V AS one\nRUN a\nFROM other\nRUN b\nFROM --platform=$X One AS two\nRUN c\nFROM 1\nRUN d',
  )
  const path = (target?: string) => writtenPath(file, target).map(one => one.text)
  expect(path()).toEqual(['b', 'd'])
  expect(path('two')).toEqual(['a', 'c'])
  expect(path('0')).toEqual(['a'])
  expect(path('nosuch')).toEqual([])
})

const history = (...createdBy: string[]) =>
  stepsOf(
    createdBy.map(one => ({ createdBy: one, created: null, comment: null, author: null, emptyLayer: false })),
    createdBy.length,
  )
const linesOf = (text: string, ...createdBy: string[]) =>
  [...stepsWritten(read(text), history(...createdBy))]
    .sort(([a], [b]) => a - b)
    .map(([step, one]) => `${step}:${one.from}`)

test('the steps of the base have no line, those above it have their own', () => {
  const file =
    'FROM x\nENV A=1 B="two words"\nRUN apt-get update \\\n && apt-get install -y gcc\nCOPY . .\nCMD ["x", "y"]'
  const classic = ['/bin/sh -c #(nop) ADD file:1 in / ', '/bin/sh -c #(nop)  CMD ["bash"]']
  expect(
    linesOf(
      file,
      ...classic,
      '/bin/sh -c #(nop)  ENV A=1 B=two words',
      '/bin/sh -c apt-get update  && apt-get install -y gcc',
      '/bin/sh -c #(nop) COPY dir:12ab in . ',
      '/bin/sh -c #(nop)  CMD ["x" "y"]',
    ),
  ).toEqual(['3:2', '4:3', '5:5', '6:6'])
  expect(
    linesOf(
      file,
      ...classic,
      'ENV A=1 B=two words',
      'RUN /bin/sh -c apt-get update  && apt-get install -y gcc # buildkit',
      'COPY . . # buildkit',
      'CMD ["x" "y"]',
    ),
  ).toEqual(['3:2', '4:3', '5:5', '6:6'])
})

test('an instruction that made no step, and a step that no line made, stand alone', () => {
  expect(linesOf('FROM x\nARG A\nRUN make\nRUN test', 'RUN make', 'RUN other')).toEqual(['1:3'])
})

test('equal commands are told apart by their order, from the end', () => {
  expect(linesOf('FROM x\nRUN a\nRUN b\nRUN a', 'RUN a', 'RUN a', 'RUN b', 'RUN a')).toEqual(['2:2', '3:3', '4:4'])
})

test('a file that is no Dockerfile maps nothing', () => {
  expect(linesOf('\x00\xff{"a":1}\n'.repeat(3), 'RUN a')).toEqual([])
})
