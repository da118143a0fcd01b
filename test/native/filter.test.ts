/**
 * The system call filter as the kernel would run it: the program that the build made is interpreted here, call by call,
 * and compared with the written-down profile and with the numbers of the machine's own headers.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { buildHelper, missingForNative, nativeFolder } from './helper.ts'

interface Instruction {
  code: number
  yes: number
  no: number
  k: number
}

const audit = { __x86_64__: 0xc000003e, __aarch64__: 0xc00000b7 }
const allow = 'allow'

/** What classic BPF does with `seccomp_data`; only the instructions that the table may hold. */
function decide(program: Instruction[], arch: number, call: number, args: number[] = []): string {
  let value = 0
  for (let at = 0; at < program.length; at++) {
    const { code, yes, no, k } = program[at]
    const jump = (taken: boolean) => {
      at += taken ? yes : no
    }
    if (code === 0x20) value = k === 0 ? call : k === 4 ? arch : (args[(k - 16) / 8] ?? 0) >>> 0
    else if (code === 0x15) jump(value === k)
    else if (code === 0x25) jump(value > k)
    else if (code === 0x35) jump(value >= k)
    else if (code === 0x45) jump((value & k) !== 0)
    else if (code === 0x06)
      return k === 0x7fff0000
        ? allow
        : k === 0x80000000
          ? 'kill'
          : k === 0x50026
            ? 'ENOSYS'
            : k === 0x50001
              ? 'EPERM'
              : `? ${k}`
    else throw new Error(`instruction ${code} at ${at}`)
  }
  throw new Error('the program does not end')
}

function programs(): Map<string, Instruction[]> {
  const table = readFileSync(join(nativeFolder, 'build/seccomp-table.h'), 'utf8')
  const found = [...table.matchAll(/#ifdef (\w+)\n([\s\S]*?)#endif/g)]
  return new Map(
    found.map(([, arch, text]) => [
      arch,
      [...text.matchAll(/\{(0x\w+), (\d+), (\d+), (0x\w+?)u\}/g)].map(([, code, yes, no, k]) => ({
        code: Number(code),
        yes: Number(yes),
        no: Number(no),
        k: Number(k),
      })),
    ]),
  )
}

interface Rule {
  name: string
  numbers: [string, string]
  answer: string
  condition: string
}

function profile(): { last: number; rules: Rule[] } {
  const lines = readFileSync(join(nativeFolder, 'seccomp.profile'), 'utf8').split('\n')
  const rules = lines
    .filter(line => line.startsWith('refuse '))
    .map(line => {
      const [, name, amd64, arm64, answer, ...condition] = line.split(' ')
      return { name, numbers: [amd64, arm64] as [string, string], answer, condition: condition.join(' ') }
    })
  return { last: Number(lines.find(line => line.startsWith('last '))!.slice(5)), rules }
}

describe.skipIf(missingForNative() !== null)('the system call filter', () => {
  beforeAll(buildHelper)

  test.each([
    ['__x86_64__', 0],
    ['__aarch64__', 1],
  ] as const)('%s: every number is decided as the profile says', (arch, column) => {
    const program = programs().get(arch)!
    const { last, rules } = profile()
    const plain = new Map(
      rules.filter(rule => rule.condition === '').map(rule => [Number(rule.numbers[column]), rule.answer]),
    )
    const conditional = new Set(rules.filter(rule => rule.condition !== '').map(rule => Number(rule.numbers[column])))
    expect(program.length).toBeLessThan(400)
    for (let call = 0; call < 1200; call++) {
      if (conditional.has(call)) continue
      const expected = call > last ? 'ENOSYS' : (plain.get(call) ?? allow)
      expect([call, decide(program, audit[arch], call)]).toEqual([call, expected])
    }
    expect(decide(program, audit[arch], 0x4000_0001)).toBe('ENOSYS')
    expect(decide(program, 0x40000003, 1)).toBe('kill')
  })

  test('arguments', () => {
    const program = programs().get('__x86_64__')!
    const of = (call: number, ...args: number[]) => decide(program, audit.__x86_64__, call, args)
    expect([of(56, 0x11), of(56, 0x10000011), of(56, 0x00020000), of(56, 0x7e020000)]).toEqual([
      allow,
      'EPERM',
      'EPERM',
      'EPERM',
    ])
    expect([0, 8, 0x20000, 0x20008, 0xffffffff, 1, 0x40000].map(value => of(135, value))).toEqual([
      ...Array(5).fill(allow),
      'EPERM',
      'EPERM',
    ])
    expect([1, 2, 10, 16, 17, 38, 40].map(family => of(41, family))).toEqual([
      ...Array(5).fill(allow),
      'EPERM',
      'EPERM',
    ])
    expect([0x5401, 0x5412, 0x541c].map(request => of(16, 0, request))).toEqual([allow, 'EPERM', 'EPERM'])
  })

  test("the numbers are those of the machine's headers", () => {
    const column = process.arch === 'arm64' ? 1 : 0
    const source = profile()
      .rules.map(({ name }) => `#ifdef __NR_${name}\n${name} __NR_${name}\n#endif`)
      .join('\n')
    const out = execFileSync('cc', ['-E', '-P', '-include', 'asm/unistd.h', '-'], { input: source }).toString()
    const known = new Map([...out.matchAll(/^(\w+) (\d+)$/gm)].map(([, name, number]) => [name, number]))
    expect(known.size).toBeGreaterThan(40)
    for (const { name, numbers } of profile().rules) {
      if (known.has(name)) expect([name, numbers[column]]).toEqual([name, known.get(name)])
    }
  })
})
