/** The house rule: imports go down the list of folders and never up; what is pure stays pure. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const src = join(dirname(fileURLToPath(import.meta.url)), '../../src')

/** From the top of the house to its foundations. A room may import from the rooms after it. */
const rooms = ['cli', 'ui', 'actions', 'engine', 'source', 'live', 'runtime', 'advice', 'layer', 'image', 'base']
const pure = ['layer', 'image']
/** What a pure room may take from Node: functions of their arguments. */
const pureModules = ['node:zlib', 'node:crypto']

interface Import {
  file: string
  target: string
  typeOnly: boolean
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(file => /\.tsx?$/.test(file))

function importsOf(file: string): Import[] {
  const text = readFileSync(join(src, file), 'utf8')
  const found: Import[] = []
  for (const match of text.matchAll(
    /(?:^|\n)\s*(?:import|export)\s+(type\s)?[^'"\n;]*?(?:\{[^}]*\}[^'"\n]*?)?from\s+'([^']+)'/g,
  )) {
    found.push({ file, target: match[2]!, typeOnly: match[1] !== undefined })
  }
  for (const match of text.matchAll(/import\(\s*'([^']+)'\s*\)/g))
    found.push({ file, target: match[1]!, typeOnly: false })
  return found
}

/** The text of a file without its comments. */
function code(file: string): string {
  return readFileSync(join(src, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, '')
}

function room(file: string): string {
  return file.split(sep)[0]!
}

const all = files.flatMap(importsOf)
const inside = all
  .filter(({ target }) => target.startsWith('.'))
  .map(found => ({ ...found, to: relative(src, normalize(join(src, dirname(found.file), found.target))) }))

describe('the house', () => {
  test('the rules see imports at all', () => {
    expect(inside.length).toBeGreaterThan(50)
    expect(new Set(inside.map(({ file }) => room(file)))).toContain('layer')
  })

  test('imports go down and never up', () => {
    const upward = inside.filter(({ file, to }) => {
      const [from, into] = [rooms.indexOf(room(file)), rooms.indexOf(room(to))]
      return from >= 0 && !to.endsWith('package.json') && (into < 0 || into < from)
    })
    expect(upward.map(({ file, to }) => `${file} -> ${to}`)).toEqual([])
  })

  test('main is imported by nobody', () => {
    expect(inside.filter(({ to }) => to === 'main.ts').map(({ file }) => file)).toEqual([])
  })

  test('layer and image are pure: no file, no socket, no clock, no process', () => {
    const impure = all.filter(
      ({ file, target, typeOnly }) =>
        pure.includes(room(file)) && !typeOnly && target.startsWith('node:') && !pureModules.includes(target),
    )
    expect(impure.map(({ file, target }) => `${file} -> ${target}`)).toEqual([])
    const clocks = files.filter(
      file => pure.includes(room(file)) && /Date\.now|performance\.now|process\.|new Date\(\)/.test(code(file)),
    )
    expect(clocks).toEqual([])
  })

  test('the screens reach engines and sources only through the actions, the store, and types', () => {
    const direct = inside.filter(
      ({ file, to, typeOnly }) => room(file) === 'ui' && ['engine', 'runtime'].includes(room(to)) && !typeOnly,
    )
    expect(direct.map(({ file, to }) => `${file} -> ${to}`)).toEqual([])
  })
})
