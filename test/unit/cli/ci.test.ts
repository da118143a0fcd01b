import { expect, test } from 'vitest'
import type { Fault } from '../../../src/base/errors.ts'
import type { Analysis } from '../../../src/cli/analysis.ts'
import { parseRules } from '../../../src/cli/ci-file.ts'
import { defaultRules, judge, type Rules } from '../../../src/cli/ci-rules.ts'
import { reportOn } from '../../../src/cli/report.ts'
import type { Image } from '../../../src/source/types.ts'
import { stackOf } from '../../harness/stacks.ts'
import { tar } from '../../harness/tar.ts'

const nothing: Rules = { ...defaultRules, lowestEfficiency: null, highestUserWastedPercent: null }

/** What the rules say of these layers: `pass rule limit found`, with the details after it. */
function judged(rules: Partial<Rules>, ...layers: string[]): string {
  const stack = stackOf(...layers.map(layer => tar(layer)))
  const image = { steps: [], layers: stack.layers.map((_, index) => ({ index, compressed: null })) }
  const analysis = {
    stack,
    image: image as unknown as Image,
    visible: stack.layers.map(() => 0),
    broken: [],
  } as Analysis
  return judge(reportOn(analysis), { ...nothing, ...rules })
    .map(({ rule, limit, found, passed, details }) =>
      [`${passed ? 'pass' : 'fail'} ${rule} ${limit} ${found}`, ...details].join(' | '),
    )
    .join('\n')
}

const base = 'file base 10'

test('lowest efficiency: what equals the limit passes', () => {
  const twice = [base, 'file a 1000', 'file a 1000']
  expect(judged({ lowestEfficiency: 0.5 }, ...twice)).toBe('pass lowest-efficiency ≥ 50 % 50.2 %')
  expect(judged({ lowestEfficiency: 1010 / 2010 }, ...twice)).toMatch(/^pass/)
  expect(judged({ lowestEfficiency: 0.51 }, ...twice)).toMatch(/^fail/)
})

test('highest wasted bytes, and their share of what lies above the first layer', () => {
  const deleted = [base, 'file a 1000\nfile b 1000', 'gone a']
  expect(judged({ highestWastedBytes: 1000, highestUserWastedPercent: 0.5 }, ...deleted)).toBe(
    'pass highest-wasted-bytes ≤ 1 kB 1 kB\npass highest-user-wasted-percent ≤ 50 % 50 %',
  )
  expect(judged({ highestWastedBytes: 999, highestUserWastedPercent: 0.49 }, ...deleted)).toBe(
    'fail highest-wasted-bytes ≤ 999 B 1 kB\nfail highest-user-wasted-percent ≤ 49 % 50 %',
  )
})

test('where nothing lies above the first layer, nothing wasted passes and anything else fails', () => {
  expect(judged({ highestUserWastedPercent: 0.1 }, base)).toBe('pass highest-user-wasted-percent ≤ 10 % 0 %')
  expect(judged({ highestUserWastedPercent: 1 }, base, 'gone base')).toMatch(/^fail .* all$/)
})

test('dive judges a deleted directory by its own numbers', () => {
  const deleted = [base, 'dir d\nfile d/a 1000', 'gone d']
  const limit = { highestWastedBytes: 10 }
  expect(judged({ ...limit, numbers: 'strata' }, ...deleted)).toMatch(/^fail/)
  expect(judged({ ...limit, numbers: 'dive' }, ...deleted)).toBe('pass highest-wasted-bytes ≤ 10 B 0 B')
})

test('the biggest layer is named', () => {
  expect(judged({ biggestLayer: 500 }, base, 'file a 501', 'file b 500')).toBe(
    'fail biggest-layer ≤ 500 B 501 B | layer 1 (step 0): 501 B',
  )
})

test('a forbidden path is forbidden in every layer, also where a later one deletes it', () => {
  const secret = [base, 'file root/.ssh/id_rsa 10', 'gone root/.ssh/id_rsa']
  expect(judged({ forbiddenPaths: ['id_rsa'] }, ...secret)).toBe(
    'fail forbidden-paths 1 pattern 1 path | layer 1: root/.ssh/id_rsa',
  )
  expect(judged({ forbiddenPaths: ['/id_rsa', '*.pem'] }, ...secret)).toBe('pass forbidden-paths 2 patterns 0 paths')
})

test.each([
  ['id_rsa', 'a/b/id_rsa', true],
  ['id_*', 'a/b/id_rsa', true],
  ['/etc/*.conf', 'etc/x.conf', true],
  ['etc/*.conf', 'etc/x/y.conf', false],
  ['etc/**', 'etc/x/y.conf', true],
  ['**/.git/**', 'app/.git/config', true],
  ['**/.git', '.git', true],
  ['a?c', 'a梨c', true],
  ['[!a]b', 'ab', false],
  ['*.%ff', 'x.%ff', false],
  ['a(b', 'a(b', true],
])('the pattern %s on the path %s', (pattern, path, matches) => {
  expect(judged({ forbiddenPaths: [pattern] }, `file ${path} 1`).startsWith('fail')).toBe(matches)
})

test('a long list of forbidden paths is cut, with names that are harmless', () => {
  const files = Array.from({ length: 30 }, (_, at) => `file %1b${at}.key 1`).join('\n')
  const text = judged({ forbiddenPaths: ['*.key'] }, files)
  expect(text).toContain('30 paths | layer 0: \\x1b0.key')
  expect(text).toMatch(/and 10 more$/)
})

test('our file: only what is written is checked', () => {
  expect(parseRules('lowest-efficiency: 95%\nbiggestLayer: 20MB\nforbidden-paths:\n  - "**/.git"\n', 'r.yaml')).toEqual(
    {
      ...nothing,
      from: 'r.yaml',
      lowestEfficiency: 0.95,
      biggestLayer: 20_000_000,
      forbiddenPaths: ['**/.git'],
    },
  )
})

test('dive’s file: what is not written has dive’s default, and disabled means not checked', () => {
  const dive = { ...nothing, numbers: 'dive' }
  expect(parseRules('rules:\n  lowestEfficiency: 0.95\n  highestUserWastedPercent: disabled\n', 'x')).toEqual({
    ...dive,
    from: 'x',
    lowestEfficiency: 0.95,
  })
  expect(parseRules('rules:\n  highest-wasted-bytes: 20 MiB\n', 'x')).toEqual({
    ...dive,
    from: 'x',
    lowestEfficiency: 0.9,
    highestWastedBytes: 20 * 1024 * 1024,
    highestUserWastedPercent: 0.1,
  })
  expect(parseRules('', 'some/.dive-ci')).toMatchObject({ numbers: 'dive', lowestEfficiency: 0.9 })
})

test.each([
  ['a rule that does not exist', 'x: 3\n', 'r, line 1: x: there is no such rule'],
  [
    'a number beyond 1',
    '\nlowest-efficiency: 95',
    'r, line 2: lowest-efficiency: “95” is not a share: write 0.95, 95% or disabled',
  ],
  [
    'a size that is none',
    'biggest-layer: big',
    'r, line 1: biggest-layer: “big” is not a size: write 20MB, 1.5GiB, a number of bytes or disabled',
  ],
  [
    'a rule in dive’s spelling',
    'rules:\n  highestWastedBytes: x',
    'r, line 2: rules.highest-wasted-bytes: “x” is not a size',
  ],
  [
    'a pattern that is no text',
    'forbidden-paths:\n  - a\n  - 3',
    'r, line 3: forbidden-paths.1: write a list of patterns',
  ],
  ['no YAML', 'a: [', 'r, line 1: '],
  ['a key twice', 'a: 1\na: 2', 'r, line 2: Map keys must be unique'],
  ['a list', '- lowest-efficiency', 'r: write one rule a line, as name: value'],
  [
    'rules beside “rules:”',
    'rules:\n  lowestEfficiency: 1\nbiggestLayer: 3',
    'r, line 3: biggestLayer: there is no such rule',
  ],
  ['an escape sequence', '"\\e[31m": 3', 'r, line 1: \\x1b[31m: there is no such rule'],
  [
    'a bomb',
    `a: &a [x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b]`,
    'r: Excessive alias count',
  ],
])('nonsense ends with 2 and names line and field: %s', (_, text, message) => {
  let fault: Fault | null = null
  try {
    parseRules(text, 'r')
  } catch (error) {
    fault = error as Fault
  }
  expect(fault?.exitCode).toBe(2)
  expect(fault?.message).toContain(message)
})
