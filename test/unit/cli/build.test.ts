/** What `strata build` reads of a builder's command line, and of what it says when a step fails. */
import { expect, test } from 'vitest'
import { readBuildArguments, upToHere } from '../../../src/cli/build/arguments.ts'
import { failedStep } from '../../../src/cli/build/failed-step.ts'
import { readWritten } from '../../../src/image/written.ts'

const read = (line: string) => readBuildArguments(line.split(' '))

test.each([
  ['.', 'Dockerfile'],
  ['ctx', 'ctx/Dockerfile'],
  ['ctx -t app', 'ctx/Dockerfile'],
  ['-q ctx', 'ctx/Dockerfile'],
  ['-f a/B ctx', 'a/B'],
  ['-fa/B ctx', 'a/B'],
  ['--file=a/B ctx', 'a/B'],
  ['-', null],
  ['-f - .', null],
  ['https://example.com/x.git', null],
  ['--pull --network host ctx', 'ctx/Dockerfile'],
])('the Dockerfile of “%s”', (line, file) => {
  expect(read(line).file).toBe(file)
})

test('our own flags are taken out wherever they stand, all others are handed on in their order', () => {
  const { own, handed } = read('--engine podman -t a --debug --build-arg X=--json --rules=r . --ci')
  expect(own).toEqual({ engine: 'podman', debug: true, rules: 'r', ci: true })
  expect(handed).toEqual(['-t', 'a', '--build-arg', 'X=--json', '.'])
})

test('a value that looks like a flag of ours is a value', () => {
  expect(read('-t --debug .').own).toEqual({})
})

test('a build up to a line names, pushes and fetches nothing', () => {
  const handed = 'a -t x --tag=y --push --pull -q --target z -o out --build-arg A=1 --no-cache -f F --label l'.split(
    ' ',
  )
  expect(upToHere(handed, '/s/F', '/s/id').join(' ')).toBe('--file /s/F --iidfile /s/id a -q --build-arg A=1 --label l')
})

const file = readWritten(
  'Dockerfile',
  `ARG V
FROM base AS one
RUN a
ENV B=1
RUN c
FROM one
WORKDIR /x
RUN d
FROM scratch AS three
COPY e /
RUN f
`,
)
const lineOf = (said: string) => failedStep(said, file)?.from ?? null

test.each([
  ['Step 1/10 : ARG V\nStep 5/10 : RUN c\n ---> Running in 12\n', 5],
  ['Step 6/10 : FROM one\nStep 8/10 : RUN d\n', 8],
  ['[1/3] STEP 1/4: FROM base AS one\n[1/3] STEP 4/4: RUN c\nError: x', 5],
  ['[2/3] STEP 3/3: RUN d\n', 8],
  ['------\n > [one 3/3] RUN c:\n------\n', 5],
  ['------\n > [stage-1 2/2] RUN d:\n------\n', 8],
  ['------\n > [three 2/2] RUN f:\n------\n', 11],
  ['------\n > [three  1/2] COPY e /:\n------\n', 10],
  ['Dockerfile:8\n--------------------\n   6 | FROM one\n', 8],
])('%j', (said, line) => {
  expect(lineOf(said)).toBe(line)
})

test('what fits no instruction tells nothing', () => {
  expect(lineOf('Step 5/10 : COPY c\n')).toBe(null)
  expect(lineOf(' > [one 9/9] RUN c:\n')).toBe(null)
  expect(lineOf('Dockerfile:900\n----------\n')).toBe(null)
  expect(lineOf('error: no space left\n')).toBe(null)
})
