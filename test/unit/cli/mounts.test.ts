/** `--mount`: docker's grammar, and its words for what is wrong (Docker 20.10). */
import { expect, test } from 'vitest'
import { readMount } from '../../../src/cli/containers/mounts.ts'

test.each([
  ['type=bind,source=/a,target=/b', { type: 'bind', source: '/a', target: '/b', readOnly: false }],
  ['target=/b', { type: 'volume', source: '', target: '/b', readOnly: false }],
  ['TYPE=VOLUME,src=v,dst=/b,ro', { type: 'volume', source: 'v', target: '/b', readOnly: true }],
  ['source=v,destination=/b,readonly=0', { type: 'volume', source: 'v', target: '/b', readOnly: false }],
  [
    'type=bind,"source=/a,with a comma",target=/b',
    { type: 'bind', source: '/a,with a comma', target: '/b', readOnly: false },
  ],
  [
    'type=bind,source=/a,target=/b,bind-propagation=rslave,bind-nonrecursive',
    {
      type: 'bind',
      source: '/a',
      target: '/b',
      readOnly: false,
      bind: { propagation: 'rslave', nonRecursive: true },
    },
  ],
  [
    'source=v,target=/b,volume-nocopy=true,volume-label=a=b,volume-label=c',
    {
      type: 'volume',
      source: 'v',
      target: '/b',
      readOnly: false,
      volume: { noCopy: true, labels: { a: 'b', c: '' } },
    },
  ],
  [
    'type=tmpfs,target=/b,tmpfs-size=1m,tmpfs-mode=1770',
    { type: 'tmpfs', source: '', target: '/b', readOnly: false, tmpfs: { size: 1048576, mode: 0o1770 } },
  ],
])('%s', (text, mount) => expect(readMount(text)).toEqual(mount))

test.each([
  ['type=bind,target=/x', 'invalid mount config for type "bind": field Source must not be empty'],
  ['type=foo,target=/x', 'invalid mount config for type "foo": mount type unknown'],
  ['target=/x,bogus=1', "unexpected key 'bogus' in 'bogus=1'"],
  ['type=tmpfs,source=a,target=/x', 'invalid mount config for type "tmpfs": field Source must not be specified'],
  [
    'type=volume,target=x',
    'invalid mount config for type "volume": invalid mount path: \'x\' mount path must be absolute',
  ],
  ['source=a', 'target is required'],
  ['type=,target=/x', 'type is required'],
  ['type=tmpfs,target=/x,volume-nocopy=true', "cannot mix 'volume-*' options with mount type 'tmpfs'"],
  ['type=bind,source=/tmp,target=/x,volume-nocopy', "cannot mix 'volume-*' options with mount type 'bind'"],
  ['source=q,target=/', "invalid mount config for type \"volume\": invalid specification: destination can't be '/'"],
  [
    'type=bind,source=rel,target=/x',
    'invalid mount config for type "bind": invalid mount path: \'rel\' mount path must be absolute',
  ],
  ['type=bind,source=/tmp,target=/x,readonly=maybe', 'invalid value for readonly: maybe'],
  ['type=tmpfs,target=/x,tmpfs-size=zz', 'invalid value for tmpfs-size: zz'],
  ['type=tmpfs,target=/x,tmpfs-mode=9', 'invalid value for tmpfs-mode: 9'],
  ['foo', "invalid field 'foo' must be a key=value pair"],
  [
    'type=bind,source=/tmp,target=/x,bind-propagation=zz',
    'invalid mount config for type "bind": invalid propagation mode: zz',
  ],
])('%s: %s', (text, said) => expect(() => readMount(text)).toThrow(said))
