/** The verbs of the native store and their options, in docker's grammar, as data. */
import type { VerbData } from '../containers/verbs.ts'

const json = ['--json', 'JSON in place of text'] as const

const tlsVerify = [
  '--tls-verify <BOOL>',
  'false: TLS is not verified, and a registry of this machine may do without',
] as const

export const storeVerbs: readonly VerbData[] = [
  {
    name: 'pull',
    values: '<NAME[:TAG|@DIGEST]...>',
    about: 'takes images of registries into the native store, or (--engine) has a daemon take them',
    flags: [
      ['-a, --all-tags', 'every tag of the name'],
      ['-q, --quiet', 'digests only'],
      ['--platform <OS/ARCH>', 'which image of a multi-platform index'],
      ['--verify', 'inflate every layer and compare its diffID now, and not when it is first used'],
      tlsVerify,
      json,
    ],
    load: async () => (await import('./pull.ts')).pull,
  },
  {
    name: 'push',
    values: '<NAME> [DEST]',
    about: 'sends an image of the native store to a registry, under its own name or another',
    flags: [['-q, --quiet', 'the digest only'], tlsVerify, json],
    load: async () => (await import('./push.ts')).push,
  },
  {
    name: 'load',
    values: '[REF]',
    about: 'takes images into the native store: of an archive (default: standard input), or of an engine',
    flags: [
      ['-i, --input <FILE>', 'the archive'],
      ['-q, --quiet', 'ids only'],
      ['--platform <OS/ARCH>', 'which image of a multi-platform index'],
      tlsVerify,
      json,
    ],
    load: async () => (await import('./load.ts')).load,
  },
  {
    name: 'save',
    values: '<NAME...>',
    about: 'writes images as an archive',
    flags: [
      ['-o, --output <FILE>', 'into a file (default: standard output)'],
      ['--format <NAME>', 'docker-archive (default), oci-archive, or oci: a directory'],
      ['--platform <OS/ARCH>', 'which image of a multi-platform index'],
    ],
    load: async () => (await import('./save.ts')).save,
  },
  {
    name: 'tag',
    values: '<IMAGE> <NAME>',
    about: 'gives an image of the native store another name',
    flags: [],
    load: async () => (await import('./tag.ts')).tag,
  },
  {
    name: 'rmi',
    values: '<IMAGE...>',
    about: 'removes names and images from the native store',
    flags: [['-f, --force', 'though it has several names, or a container that does not run'], json],
    load: async () => (await import('./rmi.ts')).rmi,
  },
  {
    name: 'prune',
    values: '',
    about: 'frees what nobody needs: stopped containers, nameless images, unused layers of the native store',
    flags: [
      ['--dry-run', 'only tell'],
      ['-a, --all', 'all images without a container, whatever their names'],
      ['--volumes', 'volumes too that nobody named and no container has'],
      ['--named-volumes', 'those with a name too'],
      ['--build-cache', 'the build cache too'],
      ['-f, --force', 'without asking'],
      json,
    ],
    load: async () => (await import('./prune.ts')).prune,
  },
  {
    name: 'df',
    values: '',
    about: 'what the disks of the engines hold, shared layers counted once',
    flags: [['-v, --verbose', 'thing by thing: images, containers, volumes, build cache, layers'], json],
    load: async () => (await import('./df.ts')).df,
  },
]
