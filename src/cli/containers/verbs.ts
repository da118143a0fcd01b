/** The verbs of containers and their options, in docker's grammar, as data: `program.ts` tells commander, `quick.ts` reads them. */
import type { Verb } from '../program.ts'

/** Flags as commander writes them, what they do, and whether they may be given again. */
export type Flag = readonly [flags: string, about: string, many?: 'many']

export interface VerbData {
  name: string
  /** As commander writes them: `<CONTAINER...>`. */
  values: string
  about: string
  flags: readonly Flag[]
  /** What follows the first values is another program's: its options are not ours. */
  command?: boolean
  load(): Promise<Verb>
}

const detachKeys: Flag = ['--detach-keys <KEYS>', 'what lets go of it and leaves it running (default: ctrl-p,ctrl-q)']
const noTrunc: Flag = ['--no-trunc', 'nothing shortened']

const wishes: readonly Flag[] = [
  ['-i, --interactive', 'keep standard input open'],
  ['-t, --tty', 'give it a terminal'],
  ['--name <NAME>', 'its name'],
  ['-e, --env <NAME=VALUE>', 'a variable; NAME alone takes ours', 'many'],
  ['--env-file <FILE>', 'variables, one a line', 'many'],
  ['-v, --volume <HOST|NAME:PATH[:ro]>', 'a directory or file of this machine, or a volume, in the container', 'many'],
  ['--mount <OPTIONS>', 'type=bind|tmpfs|volume,source=…,target=…[,readonly]', 'many'],
  ['--volumes-from <CONTAINER[:ro]>', 'the volumes of another container', 'many'],
  ['--tmpfs <PATH[:OPTIONS]>', 'a file system in memory', 'many'],
  ['-w, --workdir <PATH>', 'where the command starts'],
  ['-u, --user <NAME|UID[:GROUP]>', 'as whom'],
  ['-h, --hostname <NAME>', "the container's host name"],
  ['--network <NAME>', 'none, host, bridge, container:NAME; what else there is, the engine knows'],
  ['--net <NAME>', 'the same'],
  ['--network-alias <NAME>', 'what others on its network call it too', 'many'],
  ['--dns <ADDRESS>', 'a name server, in place of those of this machine', 'many'],
  ['--dns-search <DOMAIN>', 'where names without a dot are looked for; . alone: nowhere', 'many'],
  ['--dns-option <OPTION>', 'an option of its resolver', 'many'],
  ['--dns-opt <OPTION>', 'the same', 'many'],
  ['--add-host <NAME:ADDRESS>', 'a line of its /etc/hosts; host-gateway as an address is this machine', 'many'],
  ['-p, --publish <[IP:]HOST:PORT[/udp]>', 'a port on this machine', 'many'],
  ['-m, --memory <SIZE>', 'most memory: 512m'],
  ['--cpus <N>', 'most processors: 1.5'],
  ['--pids-limit <N>', 'most processes'],
  ['--read-only', 'nothing of the image can be written over'],
  ['--entrypoint <PROGRAM>', "in place of the image's"],
  ['-l, --label <NAME=VALUE>', 'a label', 'many'],
  ['--stop-signal <SIGNAL>', 'what stop sends'],
  ['--stop-timeout <SECONDS>', 'how long stop waits'],
  ['--restart <POLICY>', 'no, on-failure[:N], always or unless-stopped: when it is started again at its end'],
  ['--health-cmd <COMMAND>', 'a shell command in it that tells whether it is well'],
  ['--health-interval <TIME>', 'how often (30s)'],
  ['--health-timeout <TIME>', 'how long it may take (30s)'],
  ['--health-retries <N>', 'so many failures make it unhealthy (3)'],
  ['--health-start-period <TIME>', 'failures do not count so long (0s)'],
  ['--no-healthcheck', "none, nor the image's"],
  ['--memory-swap <SIZE>', 'most memory and swap together; -1: any'],
  ['--memory-reservation <SIZE>', 'memory that is left to it when there is little'],
  ['--cpu-shares <N>', 'its part of the processors when they are scarce'],
  ['--cpu-period <MICROSECONDS>', 'and --cpu-quota: processor time in each period'],
  ['--cpu-quota <MICROSECONDS>', 'see --cpu-period'],
  ['--ulimit <NAME=SOFT[:HARD]>', 'a limit of its processes: nofile=1024', 'many'],
  ['--cap-add <NAME>', 'a capability more; ALL', 'many'],
  ['--cap-drop <NAME>', 'a capability less; ALL', 'many'],
  ['--privileged', 'everything that root may, and all devices'],
  ['--device <PATH[:PATH]>', 'a device of this machine', 'many'],
  ['--security-opt <OPTION>', 'no-new-privileges, seccomp=unconfined, systempaths=unconfined', 'many'],
  ['--shm-size <SIZE>', 'of /dev/shm (64m)'],
  ['--group-add <GROUP>', 'one more group of its processes', 'many'],
  ['--sysctl <NAME=VALUE>', 'a setting of the kernel for it', 'many'],
  ['--oom-score-adj <N>', 'how soon it goes when memory runs out'],
  ['--label-file <FILE>', 'labels, one a line', 'many'],
  ['--cidfile <FILE>', 'its id is written there'],
  ['--rm', 'remove it when it has ended'],
  ['--init', 'a first process that reaps the others (native: always)'],
  ['--platform <OS/ARCH>', 'which image of several'],
  ['--pull <WHEN>', 'always, missing (default) or never'],
  ['--tls-verify <BOOL>', 'for a pull; false: TLS is not verified, and a registry of this machine may do without'],
]

/** What of it makes sense for a shell that is thrown away. */
const inShell =
  /--(?:env|env-file|volume|mount|tmpfs|workdir|user|hostname|network|memory|cpus|pids-limit|platform|tls-verify) /

export const containerVerbs: readonly VerbData[] = [
  {
    name: 'run',
    values: '<IMAGE> [COMMAND...]',
    about: 'a new container of an image, here or (-d) by itself',
    flags: [...wishes, ['-d, --detach', 'leave it running and print its id'], detachKeys],
    command: true,
    load: async () => (await import('./run.ts')).run,
  },
  {
    name: 'shell',
    values: '<IMAGE[@STEP]> [COMMAND...]',
    about: 'a shell in an image as of a step; what is changed there is gone afterwards',
    flags: [['--keep <NAME>', 'keep it as a container'], ...wishes.filter(([flags]) => inShell.test(flags))],
    command: true,
    load: async () => (await import('../shell.ts')).shell,
  },
  {
    name: 'create',
    values: '<IMAGE> [COMMAND...]',
    about: 'a new container that does not run yet',
    flags: wishes,
    command: true,
    load: async () => (await import('./create.ts')).create,
  },
  {
    name: 'start',
    values: '[CONTAINER...]',
    about: 'starts containers',
    flags: [
      ['-a, --attach', 'stay with its output'],
      ['-i, --interactive', 'and its input'],
      ['--by-policy', 'native ones whose restart policy wants them up: after a reboot nobody else starts them'],
      detachKeys,
    ],
    load: async () => (await import('./start.ts')).start,
  },
  {
    name: 'stop',
    values: '<CONTAINER...>',
    about: 'asks them to end, and kills them when they do not',
    flags: [
      ['-t, --time <SECONDS>', 'how long to wait'],
      ['--timeout <SECONDS>', 'the same'],
    ],
    load: async () => (await import('./stop.ts')).stop,
  },
  {
    name: 'restart',
    values: '<CONTAINER...>',
    about: 'stop, then start',
    flags: [
      ['-t, --time <SECONDS>', 'how long to wait'],
      ['--timeout <SECONDS>', 'the same'],
    ],
    load: async () => (await import('./restart.ts')).restart,
  },
  {
    name: 'kill',
    values: '<CONTAINER...>',
    about: 'sends a signal',
    flags: [['-s, --signal <SIGNAL>', 'which one (default: KILL)']],
    load: async () => (await import('./kill.ts')).kill,
  },
  {
    name: 'pause',
    values: '<CONTAINER...>',
    about: 'freezes all processes of containers',
    flags: [],
    load: async () => (await import('./pause.ts')).pause,
  },
  {
    name: 'unpause',
    values: '<CONTAINER...>',
    about: 'lets frozen containers go on',
    flags: [],
    load: async () => (await import('./unpause.ts')).unpause,
  },
  {
    name: 'exec',
    values: '<CONTAINER> <COMMAND...>',
    about: 'one more command in a running container',
    flags: [
      ['-i, --interactive', 'keep standard input open'],
      ['-t, --tty', 'give it a terminal'],
      ['-d, --detach', 'do not wait for it'],
      ['-e, --env <NAME=VALUE>', 'a variable; NAME alone takes ours', 'many'],
      ['--env-file <FILE>', 'variables, one a line', 'many'],
      ['-u, --user <NAME|UID[:GROUP]>', 'as whom'],
      ['-w, --workdir <PATH>', 'where it starts'],
      ['--privileged', 'with everything that root may'],
      detachKeys,
    ],
    command: true,
    load: async () => (await import('./exec.ts')).exec,
  },
  {
    name: 'attach',
    values: '<CONTAINER>',
    about: 'the input and output of a running container',
    flags: [['--no-stdin', 'output only'], detachKeys, ['--sig-proxy <BOOL>', 'pass signals on (default: true)']],
    load: async () => (await import('./attach.ts')).attach,
  },
  {
    name: 'logs',
    values: '<CONTAINER>',
    about: 'what a container has said',
    flags: [
      ['-f, --follow', 'and what it goes on saying'],
      ['--since <TIME>', 'from then on: 10m, 2h30m, a date, seconds since 1970'],
      ['--until <TIME>', 'up to then'],
      ['-n, --tail <N>', 'the last lines only'],
      ['-t, --timestamps', 'the time before each line'],
    ],
    load: async () => (await import('./logs.ts')).logs,
  },
  {
    name: 'ps',
    values: '',
    about: 'the containers of every engine',
    flags: [
      ['-a, --all', 'those that have ended too'],
      ['-s, --size', 'the bytes that they have written'],
      ['-q, --quiet', 'ids only'],
      ['-n, --last <N>', 'the newest, ended or not'],
      ['-l, --latest', 'the newest one, ended or not'],
      noTrunc,
      ['-f, --filter <NAME=VALUE>', 'name, id, status, label, ancestor, exited, health', 'many'],
      ['--json', 'JSON in place of text'],
    ],
    load: async () => (await import('./ps.ts')).ps,
  },
  {
    name: 'wait',
    values: '<CONTAINER...>',
    about: 'waits until they have ended, and prints their exit codes',
    flags: [],
    load: async () => (await import('./wait.ts')).wait,
  },
  {
    name: 'rm',
    values: '<CONTAINER...>',
    about: 'removes containers, with what they have written',
    flags: [
      ['-f, --force', 'running ones too'],
      ['-v, --volumes', 'their nameless volumes too'],
    ],
    load: async () => (await import('./rm.ts')).rm,
  },
  {
    name: 'rename',
    values: '<CONTAINER> <NAME>',
    about: 'gives a container another name',
    flags: [],
    load: async () => (await import('./rename.ts')).rename,
  },
  {
    name: 'diff',
    values: '<CONTAINER>',
    about: 'what a container has added (A), changed (C) and deleted (D)',
    flags: [
      ['-f, --follow', 'and what it goes on changing'],
      ['--export <FILE>', 'the changes as a layer: a tar with whiteouts, - for standard output'],
      ['--dockerfile', 'the changes as lines of a Dockerfile'],
      ['--json', 'JSON in place of text'],
    ],
    load: async () => (await import('./diff.ts')).diff,
  },
  {
    name: 'commit',
    values: '<CONTAINER> [NAME[:TAG]]',
    about: 'an image of what a container has made of its own',
    flags: [
      [
        '-c, --change <INSTRUCTION>',
        'a Dockerfile line: CMD ENTRYPOINT ENV EXPOSE LABEL USER VOLUME WORKDIR …',
        'many',
      ],
      ['-m, --message <TEXT>', 'what for'],
      ['-a, --author <TEXT>', 'by whom'],
      ['-p, --pause', 'freeze it meanwhile (this is the default)'],
      ['--no-pause', 'let it go on meanwhile'],
    ],
    load: async () => (await import('./commit.ts')).commit,
  },
  {
    name: 'top',
    values: '<CONTAINER>',
    about: 'the processes of a container',
    flags: [],
    load: async () => (await import('./top.ts')).top,
  },
  {
    name: 'stats',
    values: '[CONTAINER...]',
    about: 'processor, memory, network and disk, as it goes',
    flags: [
      ['-a, --all', 'those that do not run too'],
      ['--no-stream', 'one look'],
      noTrunc,
      ['--json', 'JSON in place of text'],
    ],
    load: async () => (await import('./stats.ts')).stats,
  },
  {
    name: 'cp',
    values: '<CONTAINER:PATH|PATH|-> <CONTAINER:PATH|PATH|->',
    about: 'copies out of a container or into it; - is a tar',
    flags: [
      ['-L, --follow-link', 'what a link leads to'],
      ['-a, --archive', 'owners too'],
      ['-q, --quiet', 'say nothing'],
    ],
    load: async () => (await import('./cp.ts')).cp,
  },
]
