/** `strata volume …` in docker's grammar, as data. */
import type { VerbData } from '../containers/verbs.ts'

const json = ['--json', 'JSON in place of text'] as const
const load = (name: 'create' | 'ls' | 'rm' | 'inspect' | 'prune') => async () => (await import('./volume.ts'))[name]

export const volumeVerbs: readonly VerbData[] = [
  {
    name: 'create',
    values: '[NAME]',
    about: 'makes a volume',
    flags: [
      ['--label <NAME=VALUE>', 'a label', 'many'],
      ['-d, --driver <NAME>', 'local is what the native engine has'],
      ['-o, --opt <NAME=VALUE>', "an option of the driver's", 'many'],
    ],
    load: load('create'),
  },
  {
    name: 'ls',
    values: '',
    about: 'the volumes, and who has them',
    flags: [
      ['-q, --quiet', 'names only'],
      ['-f, --filter <NAME=VALUE>', 'dangling, driver, label, name', 'many'],
      json,
    ],
    load: load('ls'),
  },
  {
    name: 'rm',
    values: '<NAME...>',
    about: 'removes volumes that no container has',
    flags: [['-f, --force', 'one that is not there is fine']],
    load: load('rm'),
  },
  {
    name: 'inspect',
    values: '<NAME...>',
    about: 'what is known of volumes, as JSON',
    flags: [json],
    load: load('inspect'),
  },
  {
    name: 'prune',
    values: '',
    about: 'removes every volume that no container has',
    flags: [['-f, --force', 'do not ask'], ['--filter <NAME=VALUE>', 'label', 'many'], json],
    load: load('prune'),
  },
]
