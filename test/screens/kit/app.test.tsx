/** What every screen gets from the app: breadcrumb, bottom line, dialogs, resize. */
import { describe, expect, it } from 'vitest'
import { expectFrame } from '../../harness/frames.ts'
import { listScreen } from '../../harness/list-screen.ts'
import { mountScreen } from '../../harness/mount.tsx'

describe('the app', () => {
  it.each([
    [40, 12],
    [80, 24],
    [120, 36],
    [200, 60],
  ])('draws breadcrumb, body and hints at %ix%i', async (columns, rows) => {
    const app = await mountScreen(ui => listScreen(ui), { columns, rows })
    await expectFrame(app, 'kit/list')
    expect(app.line(0)).toContain('List')
  })

  it('moves the cursor with few bytes', async () => {
    const app = await mountScreen(ui => listScreen(ui))
    app.written()
    await app.press('j')
    const bytes = Buffer.byteLength(app.written())
    console.log('bytes', bytes)
    expect(bytes).toBeLessThan(600)
    const { x, y } = app.find('row 2')
    expect(app.style(x, y)).toBe('inverse')
  })
})
