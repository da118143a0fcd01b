/** The one reader of the terminal: it reads while it is raw, and tells when the terminal is gone. */
import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import type { InputEvent } from '../../../src/ui/terminal/events.ts'
import { openInput, type TerminalStream } from '../../../src/ui/terminal/input.ts'

/** A terminal that writes down what is done to it. */
function terminal() {
  const calls: string[] = []
  const source = Object.assign(new EventEmitter(), {
    setRawMode: (on: boolean) => calls.push(on ? 'raw' : 'cooked'),
    resume: () => calls.push('resume'),
    pause: () => calls.push('pause'),
    unref: () => calls.push('unref'),
  })
  const reads: string[][] = []
  const lost: (Error | null)[] = []
  const received = new EventEmitter()
  const input = openInput(
    source as unknown as TerminalStream,
    events => {
      reads.push(events.map((event: InputEvent) => (event.kind === 'key' ? event.key : event.kind)))
      received.emit('read')
    },
    error => lost.push(error),
  )
  const next = () => new Promise(resolve => received.once('read', resolve))
  return { source, input, calls, reads, lost, next }
}

describe('the input', () => {
  it('reads while the terminal is raw, and not a byte while it is not', () => {
    const { source, input, calls } = terminal()
    input.raw(true)
    input.raw(true)
    expect(source.listenerCount('data')).toBe(1)
    input.raw(false)
    expect(source.listenerCount('data')).toBe(0)
    expect(calls).toEqual(['raw', 'resume', 'pause', 'cooked'])
  })

  it('is what Ink switches, which never reads itself', () => {
    const { source, input, calls } = terminal()
    input.stdin.setRawMode(true)
    source.emit('data', Buffer.from('j'))
    expect(input.stdin.read()).toBeNull()
    input.stdin.setRawMode(false)
    expect(calls).toEqual(['raw', 'resume', 'pause', 'cooked'])
  })

  it('hands on all keys of one read at once', () => {
    const { source, input, reads } = terminal()
    input.raw(true)
    source.emit('data', Buffer.from('jj\r'))
    expect(reads).toEqual([['j', 'j', 'enter']])
  })

  it('puts together what was cut, letters of several bytes too', () => {
    const { source, input, reads } = terminal()
    input.raw(true)
    const bytes = Buffer.from('団\x1b[<64;10;10M')
    for (const byte of bytes) source.emit('data', Buffer.from([byte]))
    expect(reads).toEqual([['団'], ['wheel']])
  })

  it('takes an escape that nothing follows as a key', async () => {
    const { source, input, reads, next } = terminal()
    input.raw(true)
    source.emit('data', Buffer.from('\x1b'))
    expect(reads).toEqual([])
    await next()
    expect(reads).toEqual([['esc']])
  })

  it('forgets half a sequence when the terminal is given away', () => {
    const { source, input, reads } = terminal()
    input.raw(true)
    source.emit('data', Buffer.from('\x1b['))
    input.raw(false)
    input.raw(true)
    source.emit('data', Buffer.from('A'))
    expect(reads).toEqual([['A']])
  })

  it('tells when the terminal is gone', () => {
    const { source, input, lost } = terminal()
    input.raw(true)
    const broken = Object.assign(new Error('read EIO'), { code: 'EIO' })
    source.emit('error', broken)
    source.emit('end')
    expect(lost).toEqual([broken, null])
  })

  it('lets the process end when it is closed', () => {
    const { input, calls } = terminal()
    input.raw(true)
    input.close()
    expect(calls).toEqual(['raw', 'resume', 'pause', 'cooked', 'unref'])
  })
})
