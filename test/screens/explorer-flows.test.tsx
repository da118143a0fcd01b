/** The Explorer in use: what keys do, what stays under the cursor, what is asked and answered. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Fault } from '../../src/base/errors.ts'
import { width } from '../../src/base/text.ts'
import type { Image } from '../../src/source/types.ts'
import { createExplorer } from '../../src/ui/explorer/explorer.ts'
import { makeTheme } from '../../src/ui/theme.ts'
import { memoryImage } from '../harness/memory-image.ts'
import { type Mounted, type MountOptions, mountScreen } from '../harness/mount.tsx'
import { scratch } from '../harness/scratch.ts'
import { tar } from '../harness/tar.ts'
import { classicImage, hostileImage } from './explorer-images.ts'

async function explorer(image: () => Image = () => classicImage(), options: MountOptions = {}): Promise<Mounted> {
  const app = await mountScreen(ui => createExplorer(ui, 'myapp:1'), {
    services: { open: async () => image() },
    ...options,
  })
  await app.until(/\d of \d|no steps/)
  return still(app)
}

async function still(app: Mounted): Promise<Mounted> {
  for (let same = 0, before = ''; same < 5; same++) {
    await app.settled()
    if (app.text() !== before) same = 0
    before = app.text()
  }
  return app
}

/** The row under the cursor of the pane that has the keys. */
function cursorRow(app: Mounted): string {
  for (let y = 0; y < app.terminal.rows; y++) {
    const line = app.line(y)
    const from = [...line].findIndex((_, x) => app.style(x, y).includes('inverse'))
    if (from >= 0) return line.slice(from).replace(/│.*$/, '').trim()
  }
  return ''
}

describe('moving', () => {
  it('keys go on to the step, the tree follows', async () => {
    const app = await explorer()
    await app.press('g')
    await still(app)
    expect(app.text()).toContain('as of step 1')
    expect(app.text()).not.toContain('scripts/')
    await app.press('tab', 'J', 'J', 'J')
    await still(app)
    expect(app.text()).toContain('as of step 4')
    expect(app.text()).toMatch(/A .*scripts\//)
  })

  it('a step without a layer shows the file system as of it, nothing marked', async () => {
    const app = await explorer()
    await app.press('g', 'j', 'j')
    await still(app)
    expect(app.text()).toContain('it makes no layer')
    expect(app.text()).toContain('as of step 3')
    expect(app.text()).not.toMatch(/│[ACD] /)
  })

  it('n goes from change to change, through what is folded, N back', async () => {
    const app = await explorer()
    await app.press('tab', '-', 'n')
    await still(app)
    expect(cursorRow(app)).toContain('scripts/')
    const seen: string[] = []
    for (let at = 0; at < 13; at++) {
      await app.press('n')
      await still(app)
      seen.push(/ [kM]?B +(.*?)(?: {2}|$)/.exec(cursorRow(app))?.[1]?.trim() ?? '')
    }
    expect(seen.slice(0, 2)).toEqual(['▸ public/', 'page-0.js'])
    expect(seen.at(-1)).toBe('server.js')
    await app.press('n')
    await still(app)
    expect(cursorRow(app)).toContain('deb.debian.org')
    await app.press('N')
    await still(app)
    expect(cursorRow(app)).toContain('server.js')
  })

  it('left goes out, right goes in, space folds', async () => {
    const app = await explorer()
    await app.press('tab', 'n', 'n', 'n', 'left')
    expect(cursorRow(app)).toContain('▾ public/')
    await app.press('left')
    expect(cursorRow(app)).toContain('▸ public/')
    await app.press('right', 'right')
    await still(app)
    expect(cursorRow(app)).toContain('page-0.js')
    await app.press('left', 'space', 'space')
    expect(cursorRow(app)).toContain('▾ public/')
  })
})

describe('the cursor stays on its path', () => {
  const onServer = async () => {
    const app = await explorer()
    await app.press('tab', '/')
    await app.type('server.js')
    await app.press('enter', 'esc')
    return still(app)
  }

  it('when a filter closes', async () => {
    expect(cursorRow(await onServer())).toContain('server.js')
  })

  it('when the order changes, when only changes are shown, when the step is another', async () => {
    const app = await onServer()
    for (const key of ['t', 't', 't', 'a', 'a', 'K', 'K', 'J']) {
      await app.press(key)
      await still(app)
      expect(cursorRow(app), `after ${key}`).toContain('server.js')
    }
  })

  it('comes back where it was when nothing is found', async () => {
    const app = await onServer()
    await app.press('/')
    await app.type('no such thing')
    await app.press('enter', 'esc')
    await still(app)
    expect(cursorRow(app)).toContain('server.js')
  })
})

describe('a filter', () => {
  it('is moved in while it stands, and the last good one stays while a worse one is typed', async () => {
    const app = await explorer()
    await app.press('tab', '/')
    await app.type('page-')
    await still(app)
    await app.press('down', 'down')
    expect(cursorRow(app)).toContain('page-2.js')
    await app.type(' size>x')
    await still(app)
    expect(app.text()).toContain('“x” is no size')
    expect(app.text()).toContain('page-8.js')
    expect(app.text()).not.toContain('node_modules')
  })
})

describe('a range of steps', () => {
  it('is what it does as a whole, and goes with esc', async () => {
    const app = await explorer()
    await app.press('g', 'j', '[', 'j', 'j', 'j', 'j')
    await still(app)
    expect(app.text()).toContain('steps 2 to 6')
    await app.press('2')
    await still(app)
    expect(app.text()).toMatch(/A .* scripts\/server.js/)
    expect(app.text()).not.toMatch(/[ACD] .* scripts\/package-lock.json/)
    await app.press('esc')
    await still(app)
    expect(app.text()).toContain('as of step 6')
  })

  it('without a beginning is everything above the base layer', async () => {
    const app = await explorer()
    await app.press(']')
    await still(app)
    expect(app.text()).toContain('steps 2 to 6')
  })
})

describe('links, files, versions', () => {
  it('enter on a link goes to what it leads to', async () => {
    const app = await explorer()
    await app.press('tab', '/')
    await app.type('current')
    await app.press('enter', 'enter')
    await still(app)
    expect(cursorRow(app)).toContain('page-1.js')
  })

  it('a deleted file can be looked at', async () => {
    const app = await explorer()
    await app.press('tab', '/')
    await app.type('package-lock')
    await app.press('enter', 'v')
    await app.until(/step 4/)
    await app.until(/aaaaaaaa/)
    expect(app.text()).toContain('/scripts/package-lock.json')
  })

  it('a file that two layers have is shown in both versions, with the difference', async () => {
    const app = await explorer()
    await app.press('tab', '/')
    await app.type('server.js')
    await app.press('enter', 'b')
    await app.until('+ const port = process.env.PORT')
    expect(app.text()).toContain('- const port = 8080')
    await app.press('j', 'v')
    await app.until(/const port = 8080/)
    expect(app.text()).not.toContain('process.env')
  })

  it('the viewer searches, and wraps or cuts', async () => {
    const lines = Array.from(
      { length: 500 },
      (_, at) => `line ${at} ${at === 400 ? 'Here it is' : ''}${'x'.repeat(200)}`,
    )
    const body = lines.join('%0a').replaceAll(' ', '%20')
    const image = () =>
      memoryImage({ layers: [tar(`file big.txt "${decodeURIComponent(body).replaceAll('\n', '¶')}"`)] })
    const app = await explorer(image)
    await app.press('tab', 'enter')
    await app.until('line%200'.replace('%20', ' '))
    await app.press('/')
    await app.type('here it')
    await app.press('enter')
    await app.until('Here it is')
    await app.press('w')
    await app.until(/cut/)
  })

  it('blame leads to the step in the tree', async () => {
    const app = await explorer()
    await app.press('tab', '/')
    await app.type('curl')
    await app.press('enter', 'b', 'o')
    await still(app)
    expect(app.text()).toContain('as of step 2')
    expect(cursorRow(app)).toContain('curl')
  })
})

describe('a file of 10 GB', () => {
  const size = 10_000_000_000
  const line = (at: number) => `line ${String(at).padStart(14, '0')}\n`
  const huge = (): Image => {
    const image = memoryImage({ layers: [tar('file huge.log 10')] })
    return {
      ...image,
      async indexLayer(layer, work) {
        const index = await image.indexLayer(layer, work)
        return { ...index, size: Float64Array.from(index.size, () => size) }
      },
      async *readFile(_, __, { start = 0, end = size } = {}) {
        for (let at = start - (start % 20); at < end; ) {
          const lines = Array.from({ length: 2000 }, (_, n) => line(at / 20 + n)).join('')
          const from = Math.max(0, start - at)
          yield Buffer.from(lines).subarray(from, Math.max(from, Math.min(lines.length, end - at)))
          at += lines.length
        }
      },
    }
  }

  it('opens at once, scrolls, and shows its end', async () => {
    const app = await explorer(huge)
    await app.press('tab', 'enter')
    await app.until('line 00000000000000')
    await app.press('pagedown')
    await still(app)
    expect(app.text()).toContain('line 00000000000040')
    await app.press('G')
    await app.until(line(size / 20 - 1).trim())
    await app.press('k', 'k', 'pageup', 'pageup')
    await still(app)
    expect(app.text()).toContain(line(size / 20 - 96).trim())
    await app.press('x')
    await app.until(/2540b[0-9a-f]{4}/)
    await app.press('g')
    await app.until('00000000  6c 69 6e 65')
  })
})

describe('finding in all layers', () => {
  it('finds what is gone, says who touched it, and goes there', async () => {
    const app = await explorer()
    await app.press('F')
    await app.type('package-lock')
    await app.until(/A4 D6/)
    await app.press('enter', 'enter')
    await still(app)
    expect(cursorRow(app)).toContain('package-lock.json')
    expect(app.text()).toContain('as of step 6')
  })

  it('goes to the newest step that has it where the one that is looked at has not', async () => {
    const app = await explorer()
    await app.press('g', 'F')
    await app.type('left-pad/index')
    await app.press('enter', 'enter')
    await still(app)
    expect(app.text()).toContain('as of step 5')
    expect(cursorRow(app)).toContain('index.js')
  })
})

describe('extracting', () => {
  it('asks where to, says what came of it, asks again before it replaces', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'strata-extract-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const app = await explorer()
    await app.press('tab', '/')
    await app.type('server.js')
    await app.press('enter', 'e')
    await app.until('extract /scripts/server.js to')
    await app.press('backspace', 'backspace')
    await app.type(`${folder}/out.js`)
    await app.press('enter')
    await app.until('extracted 1 file, 143 B')
    expect(readFileSync(join(folder, 'out.js'), 'utf8')).toContain('process.env.PORT')
    await app.press('e', 'backspace', 'backspace')
    await app.type(`${folder}/out.js`)
    await app.press('enter')
    await app.until('Replace what is there?')
  })
})

describe('while it opens and reads', () => {
  it('an image that can not be opened is a sentence', async () => {
    const fail = async () => {
      throw new Fault('There is no image myapp:1.', { hint: 'strata images lists them.' })
    }
    const app = await mountScreen(ui => createExplorer(ui, 'myapp:1'), { services: { open: fail } })
    await app.until('There is no image myapp:1.')
    expect(app.text()).toContain('strata images lists them.')
  })

  it('esc stops reading, r reads on', async () => {
    let held: (() => void)[] = []
    let hold = true
    const gate = (layer: number, _: unknown, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        if (layer === 0 || !hold) return resolve()
        held.push(resolve)
        signal?.addEventListener('abort', () => reject(signal.reason))
      })
    const app = await mountScreen(ui => createExplorer(ui, 'myapp:1'), {
      services: { open: async () => classicImage({ gate }) },
    })
    await app.until(/reading/)
    await app.press('esc')
    await app.until(/unread/)
    expect(app.text()).toContain('read on')
    hold = false
    held = []
    await app.press('r')
    await app.until(/ wasted/)
    expect(held).toEqual([])
  })

  it('layers land in order, whatever order they arrive in', async () => {
    const gates: (() => void)[] = []
    const gate = (layer: number) => new Promise<void>(resolve => void (gates[layer] = resolve))
    const app = await mountScreen(ui => createExplorer(ui, 'myapp:1'), {
      services: { open: async () => classicImage({ gate }) },
    })
    await app.until(/Reading 0 of 5/)
    for (const layer of [4, 3, 2, 1]) gates[layer]!()
    await still(app)
    expect(app.text()).toContain('Reading 0 of 5')
    gates[0]!()
    await app.until(/ wasted/)
  })

  it('contents that headers can not tell apart are compared in the background', async () => {
    const image = () => memoryImage({ layers: [tar('file a 100\nfile b 100'), tar('file a 100 fill=z\nfile b 100')] })
    const app = await explorer(image)
    await app.until(/C .*a +content/)
    expect(app.text()).toMatch(/b +stored again, the same/)
  })
})

describe('the mouse', () => {
  const click = (app: Mounted, { x, y }: { x: number; y: number }) =>
    app.send(`\u001b[<0;${x + 1};${y + 1}M\u001b[<0;${x + 1};${y + 1}m`)

  it('a click chooses a step or a path, a second one opens it, the wheel moves', async () => {
    const app = await explorer()
    await click(app, app.find('RUN npm install'))
    await still(app)
    expect(app.text()).toContain('as of step 5')
    const { x, y } = app.find('scripts/')
    await click(app, { x, y })
    expect(cursorRow(app)).toContain('▾ scripts/')
    await click(app, { x, y })
    await still(app)
    expect(cursorRow(app)).toContain('▸ scripts/')
    await app.send(`\u001b[<64;${x + 1};${y + 1}M`)
    await still(app)
    expect(cursorRow(app)).not.toContain('scripts/')
  })
})

describe('the palette', () => {
  it('knows the steps', async () => {
    const app = await explorer()
    await app.press(':')
    await app.type('npm install')
    await app.press('enter')
    await still(app)
    expect(app.text()).toContain('as of step 5')
  })
})

describe('anything', () => {
  const keys = 'jkhlgGnNat[]+-=.12345/Fvbdexytw?:J K\t\r\u001b'.split('')
  const styles = /\u001b\[[0-9;]*m/g

  it.each([
    ['the classic image', () => classicImage()],
    ['hostile names', () => hostileImage()],
    ['no layers', () => memoryImage({ layers: [], history: [] })],
    ['one empty layer', () => memoryImage({ layers: [tar('')] })],
  ])('keys and sizes never break %s', async (_, image) => {
    // Keys may well extract a file to some name or other.
    const before = process.cwd()
    process.chdir(scratch().path)
    onTestFinished(() => process.chdir(before))
    const app = await explorer(image)
    const moves = fc.array(
      fc.oneof(
        { weight: 8, arbitrary: fc.constantFrom(...keys) },
        { weight: 1, arbitrary: fc.tuple(fc.integer({ min: 20, max: 160 }), fc.integer({ min: 5, max: 50 })) },
      ),
      { minLength: 5, maxLength: 25 },
    )
    await fc.assert(
      fc.asyncProperty(moves, async all => {
        for (const one of all) {
          if (typeof one === 'string') await app.send(one === '\u001b' ? '\u001b[27u' : one)
          else await app.resize(...one)
          const { size } = app.host.state()
          const screen = app.host.top()!
          const body = { columns: size.columns, rows: size.rows - 2 }
          for (const line of screen.draw(body, makeTheme('16'))) {
            const bare = line.replace(styles, '')
            expect(width(bare)).toBe(body.columns)
            expect(bare).not.toMatch(/\p{Cc}/u)
          }
          expect(app.text()).not.toContain('did not work')
        }
        while (app.host.state().screens.length > 1) app.host.pop()
      }),
      { numRuns: 12 },
    )
  })
})
