/** What lies over a screen and on its bottom line: help, palette, questions, menus, errors, work, toasts, the prompt. */
import { render } from 'ink-testing-library'
import { describe, expect, it } from 'vitest'
import { Fault } from '../../../src/base/errors.ts'
import { makeTheme } from '../../../src/ui/theme.ts'
import { Canvas } from '../../../src/ui/widgets/canvas.tsx'
import { hintLine } from '../../../src/ui/widgets/hints.ts'
import { expectFrame } from '../../harness/frames.ts'
import { listScreen } from '../../harness/list-screen.ts'
import { type MountOptions, mountScreen } from '../../harness/mount.tsx'

const mounted = (options: MountOptions = {}) => mountScreen(ui => listScreen(ui), { columns: 80, rows: 24, ...options })
/** Text without escape sequences. */
const bare = (text: string) => text.replace(/\x1b\[[?\d;]*[A-Za-z]/g, '')

const small = { columns: 40, rows: 12 }

describe('help', () => {
  it.each([
    { columns: 80, rows: 24 },
    small,
    { columns: 120, rows: 36 },
  ])('shows the keys that are valid here: %j', async size => {
    const app = await mounted(size)
    await app.press('?')
    await expectFrame(app, 'kit/help')
    expect(app.text()).toContain('Take the row')
  })

  it('is searched by typing, and enter does what is under the cursor', async () => {
    const app = await mounted()
    await app.press('?')
    await app.type('take')
    await app.until(/▸.*Take the row/)
    await app.press('enter')
    await app.until('row 1')
    expect(app.line(23).trim()).toBe('row 1')
    expect(app.text()).not.toContain('Keys')
  })

  it('goes with esc: first the search, then the box', async () => {
    const app = await mounted()
    await app.press('?')
    await app.type('xyzzy')
    await app.until('nothing matches')
    await app.press('esc')
    await app.until('Take the row')
    await app.press('esc')
    await app.until(screen => !screen.includes('Take the row'))
  })

  it('takes every key while it is there', async () => {
    const app = await mounted()
    await app.press('?', 'j')
    expect(app.text()).toContain('1 of 1000')
  })
})

describe('the palette', () => {
  it('finds every action that is valid here by a few letters', async () => {
    const app = await mounted()
    await app.press(':')
    await app.type('lastt')
    await app.press('backspace')
    await app.type('')
    await expectFrame(app, 'kit/palette')
    await app.press('enter')
    await app.until('1000 of 1000')
  })

  it('finds places too', async () => {
    const went: string[] = []
    const app = await mountScreen(ui => ({
      ...listScreen(ui),
      places: () => [{ label: 'node:latest', detail: 'docker', go: () => void went.push('node') }],
    }))
    await app.press(':')
    await app.type('node')
    await app.until('node:latest')
    await app.press('enter')
    expect(went).toEqual(['node'])
  })
})

describe('a question', () => {
  const question = {
    title: 'Delete 2 images?',
    lines: ['myapp:1 and myapp:2 go from docker.', 'Really freed: 412 MB. 904 MB stay, node:latest needs them.'],
    yes: 'delete 2 images',
    danger: true,
  }

  it.each([{ columns: 80, rows: 24 }, small])('names what will happen: %j', async size => {
    const app = await mounted(size)
    void app.host.confirm(question)
    await app.until('Delete 2 images?')
    await expectFrame(app, 'kit/confirm', { styles: true })
  })

  it.each([
    [['enter'], false],
    [['y'], true],
    [['n'], false],
    [['esc'], false],
    [['tab', 'enter'], true],
    [['tab', 'tab', 'enter'], false],
  ] as [string[], boolean][])('that is dangerous answered with %j is %s', async (keys, answer) => {
    const app = await mounted()
    const answered = app.host.confirm(question)
    await app.until('Delete 2 images?')
    await app.press(...keys)
    expect(await answered).toBe(answer)
    expect(app.text()).not.toContain('Delete 2 images?')
  })

  it('that is harmless is answered yes by enter', async () => {
    const app = await mounted()
    const answered = app.host.confirm({ ...question, danger: false })
    await app.press('enter')
    expect(await answered).toBe(true)
  })
})

describe('a menu', () => {
  const menu = {
    title: 'Sort by',
    items: [{ label: 'name', key: 'n' }, { label: 'size', key: 's', detail: 'now' }, { label: 'time' }],
    at: 1,
  }

  it('starts at what is chosen now', async () => {
    const app = await mounted()
    void app.host.choose(menu)
    await app.until('Sort by')
    await expectFrame(app, 'kit/choice')
  })

  it.each([
    [['enter'], 1],
    [['n'], 0],
    [['j', 'enter'], 2],
    [['k', 'enter'], 0],
    [['esc'], null],
  ] as [string[], number | null][])('answered with %j gives %s', async (keys, answer) => {
    const app = await mounted()
    const chosen = app.host.choose(menu)
    await app.until('Sort by')
    await app.press(...keys)
    expect(await chosen).toBe(answer)
  })
})

describe('an error', () => {
  const fault = new Fault('Layer 3 of ./build.tar can not be read: the gzip data ends too early.', {
    hint: 'Save the image again: docker save -o build.tar app:dev',
    cause: new Error('unexpected end of file'),
  })

  it.each([{ columns: 80, rows: 24 }, small])('is a sentence and what to do: %j', async size => {
    const app = await mounted(size)
    app.host.fail(fault, 'Reading')
    await app.until('Error')
    await expectFrame(app, 'kit/error')
    expect(app.text()).not.toContain('unexpected end of file')
  })

  it('shows what lies behind it with one key', async () => {
    const app = await mounted()
    app.host.fail(fault, 'Reading')
    await app.press('d')
    await app.until('raw error')
    for (let at = 0; at < 60 && !app.text().includes('unexpected end of file'); at++) await app.press('j')
    expect(app.text()).toContain('unexpected end of file')
    await app.press('esc')
    await app.until(screen => !screen.includes('Error'))
  })

  it('of an action is shown and ends nothing', async () => {
    const bad = {
      id: 'list.bad',
      title: 'Bad',
      keys: ['B'],
      scope: 'list',
      run: () => Promise.reject(new Error('luck \x1b[2J ran out')),
    }
    const app = await mountScreen(ui => listScreen(ui, 10, [bad]))
    await app.press('B')
    await app.until('luck \\x1b[2J ran out')
    await app.press('enter', 'j')
    await app.until('2 of 10')
  })
})

describe('work', () => {
  it('shows how far it is and is cancelled by esc', async () => {
    const app = await mounted()
    let aborted = false
    const done = app.host.work('Reading', ({ signal, onProgress }) => {
      signal.addEventListener('abort', () => {
        aborted = true
      })
      onProgress({ done: 412e6, total: 1.02e9 })
      return new Promise(() => {})
    })
    await app.until('412 MB of 1.02 GB')
    await expectFrame(app, 'kit/work')
    await app.press('j')
    await app.until('2 of 1000')
    await app.press('esc')
    expect(await done).toBeUndefined()
    expect(aborted).toBe(true)
    await app.until('Cancelled.')
  })

  it('gives its result, and its failure is shown', async () => {
    const app = await mounted()
    expect(await app.host.work('Reading', async () => 42)).toBe(42)
    expect(
      await app.host.work('Reading', async () => {
        throw new Fault('The archive is gone.')
      }),
    ).toBeUndefined()
    await app.until('The archive is gone.')
  })

  it('shows the newest progress in the end, however fast it came', async () => {
    const app = await mounted()
    const { promise, resolve } = Promise.withResolvers<void>()
    const done = app.host.work('Reading', async ({ onProgress }) => {
      for (let at = 1; at <= 1000; at++) onProgress({ done: at * 1e6, total: 1e9 })
      await promise
    })
    await app.until('1 GB of 1 GB')
    resolve()
    await done
    await app.until('take')
  })
})

describe('the bottom line', () => {
  it('says something until the next key', async () => {
    const app = await mounted()
    await app.press('enter')
    expect(app.line(23).trim()).toBe('row 1')
    await app.press('j')
    expect(app.line(23)).toContain('take')
  })

  it('says what was copied, and when it was too much', async () => {
    const app = await mounted()
    app.written()
    app.host.copy('some/path', 'path')
    await app.until('copied path (9 B)')
    expect(app.written()).toContain('\x1b]52;c;c29tZS9wYXRo\x07')
    app.host.copy('x'.repeat(100_000), 'file')
    await app.until("file is too long for the terminal's clipboard")
  })

  it('takes a filter while the cursor moves in what it leaves, and esc takes the filter away', async () => {
    const app = await mounted()
    await app.press('/')
    await app.type('99')
    await app.press('down', 'down')
    await app.until('3 of 19')
    await expectFrame(app, 'kit/prompt')
    await app.send('\x1b[200~9\r\n\x1b[201~')
    await app.until('1 of 1 ')
    await app.press('esc')
    await app.until('of 1000')
  })
})

describe('sizes', () => {
  it('below the smallest say what is needed', async () => {
    const app = await mounted({ columns: 19, rows: 4 })
    expect(app.text().trim()).toBe('strata needs 20x5')
  })

  it('that change are drawn at once: no frame of the old size is written', async () => {
    const app = await mounted()
    for (const columns of [60, 100, 80]) {
      app.written()
      await app.resize(columns, 24)
      const frames = app.written().split('\x1b[?2026h').slice(1)
      const rules = frames.flatMap(frame =>
        bare(frame)
          .split('\n')
          .filter(line => /^[╭╰].*[╮╯]$/.test(line)),
      )
      expect(new Set(rules.map(rule => rule.length))).toEqual(new Set([columns]))
    }
  })

  it('of every kind give a full frame that fits, with help and errors over it', async () => {
    const app = await mounted()
    for (const [columns, rows] of [
      [20, 5],
      [21, 7],
      [40, 12],
      [76, 9],
      [300, 100],
      [5, 2],
      [80, 24],
    ] as const) {
      await app.resize(columns, rows)
      await app.press('?')
      expect(app.text().split('\n')).toHaveLength(rows)
      await app.press('esc')
      app.host.fail(new Fault('A sentence that is long enough to be wrapped on a narrow screen.'), 'x')
      await app.settled()
      await app.press('esc')
    }
    expect(app.line(1)).toMatch(/^╭.*╮$/)
    expect(app.line(23)).toContain('? help')
  })
})

describe('colours', () => {
  it.each(['none', '16', 'truecolour'] as const)('%s', async level => {
    const app = await mounted({ columns: 80, rows: 12, level })
    await expectFrame(app, `kit/colours-${level}`, { styles: true })
    if (level === 'none') expect(app.styles()).not.toMatch(/cyan|red|green|yellow|colour\d|#/)
  })

  it('in ASCII where nothing else can be drawn', async () => {
    const app = await mounted({ ascii: true })
    await app.press('?')
    expect(app.text()).toMatch(/^[\x20-\x7e\n]*$/)
  })
})

describe('a canvas', () => {
  it('draws its lines as they are', () => {
    const { lastFrame } = render(<Canvas columns={12} rows={2} lines={() => ['one         ', 'two         ']} />)
    expect(lastFrame()).toBe('one\ntwo')
  })

  it('shows a hint line', () => {
    const hints = [{ key: 'q', label: 'quit', worth: 1 }]
    const { lastFrame } = render(
      <Canvas columns={20} rows={1} lines={() => [hintLine(makeTheme('none'), 20, hints)]} />,
    )
    expect(lastFrame()).toContain('quit')
  })
})
