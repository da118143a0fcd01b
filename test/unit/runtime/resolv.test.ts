/** A container's /etc/resolv.conf: docker's rules. */
import { describe, expect, test } from 'vitest'
import { onlyStub, resolvConf } from '../../../src/runtime/network/resolv.ts'

const nothing = { servers: [], search: [], options: [] }
const host = `# said by somebody
nameserver 127.0.0.1
nameserver 10.0.0.53
nameserver fd00::53
nameserver ::1
domain old.example
search example.org corp.example
options ndots:2 timeout:1
`

describe('resolv.conf', () => {
  test('servers on the loopback are out of reach, those of IPv6 without IPv6', () => {
    expect(resolvConf(host, { wish: nothing })).toBe(
      'nameserver 10.0.0.53\nsearch example.org corp.example\noptions ndots:2 timeout:1\n',
    )
    expect(resolvConf(host, { wish: nothing, six: true })).toContain('nameserver 10.0.0.53\nnameserver fd00::53\n')
    expect(resolvConf(host, { wish: nothing, six: true, local: true })).toContain('nameserver 127.0.0.1\n')
  })

  test('where none is left Google’s stand in', () => {
    expect(resolvConf('nameserver 127.0.0.53\n', { wish: nothing })).toBe('nameserver 8.8.8.8\nnameserver 8.8.4.4\n')
    expect(resolvConf('', { wish: nothing, first: '10.0.2.3' })).toBe('nameserver 10.0.2.3\n')
  })

  test('a wish replaces what is there, each kind by itself', () => {
    const wish = { servers: ['1.1.1.1'], search: ['.'], options: ['rotate'] }
    expect(resolvConf(host, { wish, first: '10.0.2.3' })).toBe('nameserver 1.1.1.1\noptions rotate\n')
    expect(resolvConf('domain a.example\n', { wish: { ...nothing, servers: ['1.1.1.1'] } })).toBe(
      'nameserver 1.1.1.1\nsearch a.example\n',
    )
  })

  test.each([
    ['nameserver 127.0.0.53\noptions edns0\n', true],
    ['nameserver 127.0.0.53\nnameserver 9.9.9.9\n', false],
    ['', false],
  ])('only the stub: %j', (text, expected) => expect(onlyStub(text)).toBe(expected))
})
