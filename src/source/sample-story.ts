/**
 * What the sample image tells: eleven steps of an ordinary build with the classic mistakes in them. Package lists and a
 * package cache stay behind, a source archive and a key are deleted a layer too late, `chown -R` stores a folder twice,
 * and a folder that was made anew hides the old one (opaque). All bytes but the shell's are the same everywhere.
 */
import { Buffer } from 'node:buffer'
import type { ShellFiles } from './sample-shell.ts'

export interface StoryEntry {
  path: string
  /** The body of a file; a string `-> target` of a symbolic link; null for a directory. */
  content: Uint8Array | string | null
  mode?: number
  /** uid and gid */
  owner?: number
}

export interface StoryStep {
  /** As BuildKit writes it into the history. */
  createdBy: string
  /** The layer that the step makes; null for a step that only changes the config. */
  entries: StoryEntry[] | null
}

/** The run config that the last step leaves. */
export const storyConfig = {
  Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'APP_PORT=8080'],
  Cmd: ['/bin/sh'],
  WorkingDir: '/srv/app',
  User: 'app',
  ExposedPorts: { '8080/tcp': {} },
  Labels: { 'org.opencontainers.image.title': 'sample', 'org.opencontainers.image.description': 'made by strata' },
}

/** The steps of the sample, oldest first. */
export function story(shell: ShellFiles): StoryStep[] {
  const app = appFiles()
  const owned = app.map(entry => ({ ...entry, owner: 1000 }))
  return [
    { createdBy: 'ADD rootfs.tar.gz / # buildkit', entries: rootfs(shell) },
    { createdBy: 'CMD ["/bin/sh"]', entries: null },
    { createdBy: `ENV ${storyConfig.Env[0]}`, entries: null },
    {
      createdBy: 'RUN /bin/sh -c apt-get update && apt-get install -y curl ca-certificates # buildkit',
      entries: packages(),
    },
    { createdBy: 'RUN /bin/sh -c adduser -u 1000 -D app # buildkit', entries: user() },
    { createdBy: 'WORKDIR /srv/app', entries: [dir('srv'), dir('srv/app')] },
    { createdBy: 'COPY source.tar.gz deploy_key /tmp/ # buildkit', entries: upload() },
    { createdBy: 'RUN /bin/sh -c tar -xzf /tmp/source.tar.gz -C /srv/app # buildkit', entries: [dir('srv'), ...app] },
    { createdBy: 'RUN /bin/sh -c rm /tmp/source.tar.gz /tmp/deploy_key # buildkit', entries: cleanUp() },
    { createdBy: 'RUN /bin/sh -c chown -R app:app /srv/app # buildkit', entries: [dir('srv'), ...owned] },
    { createdBy: 'RUN /bin/sh -c rm -rf /srv/app/cache && mkdir /srv/app/cache # buildkit', entries: newCache() },
    { createdBy: `ENV ${storyConfig.Env[1]}`, entries: null },
    { createdBy: 'EXPOSE map[8080/tcp:{}]', entries: null },
    { createdBy: 'USER app', entries: null },
    {
      createdBy: `LABEL ${Object.entries(storyConfig.Labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(' ')}`,
      entries: null,
    },
  ]
}

function rootfs(shell: ShellFiles): StoryEntry[] {
  const files = [...shell.files].map(([path, content]) => ({ path: path.slice(1), content, mode: 0o755 }))
  const links = [...shell.links].map(([path, target]) => ({ path: path.slice(1), content: `-> ${target}` }))
  const parents = new Set<string>()
  for (const { path } of [...files, ...links]) {
    for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) parents.add(path.slice(0, at))
  }
  const plain = 'dev etc home proc run srv sys usr usr/bin usr/share var var/cache var/lib var/log'.split(' ')
  for (const folder of plain) parents.add(folder)
  return [
    ...[...parents].sort().map(path => dir(path)),
    { ...dir('root'), mode: 0o700 },
    { ...dir('tmp'), mode: 0o1777 },
    text('etc/os-release', 'ID=strata-sample\nNAME="The sample image"\nPRETTY_NAME="The sample image of Strata"\n'),
    text('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n'),
    text('etc/group', 'root:x:0:\n'),
    text('etc/hostname', 'sample\n'),
    ...files,
    ...links,
  ]
}

function packages(): StoryEntry[] {
  const lists = 'var/lib/apt/lists'
  const release = `${lists}/deb.example.org_debian_dists_stable`
  return [
    dir('etc'),
    dir('etc/ssl'),
    dir('etc/ssl/certs'),
    text('etc/ssl/certs/ca-certificates.crt', filler('certificate', 210_000)),
    dir('usr'),
    dir('usr/bin'),
    { ...text('usr/bin/curl', filler('curl', 260_000)), mode: 0o755 },
    dir('usr/share'),
    dir('usr/share/doc'),
    dir('usr/share/doc/curl'),
    text('usr/share/doc/curl/changelog', filler('change', 90_000)),
    dir('var'),
    dir('var/cache'),
    dir('var/cache/apt'),
    dir('var/cache/apt/archives'),
    text('var/cache/apt/archives/curl_8.14.1-2_amd64.deb', filler('archive', 320_000)),
    dir('var/lib'),
    dir('var/lib/apt'),
    dir(lists),
    text(`${release}_InRelease`, filler('release', 150_000)),
    text(`${release}_main_binary-amd64_Packages`, filler('package', 1_400_000)),
    dir('var/lib/dpkg'),
    text('var/lib/dpkg/status', filler('status', 60_000)),
    dir('var/log'),
    text('var/log/dpkg.log', filler('log', 30_000)),
  ]
}

function user(): StoryEntry[] {
  return [
    dir('etc'),
    text('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n'),
    text('etc/group', 'root:x:0:\napp:x:1000:\n'),
    dir('home'),
    { ...dir('home/app'), owner: 1000 },
  ]
}

function upload(): StoryEntry[] {
  const key = 'THIS IS NO KEY: it stands for one that was copied in and deleted a layer too late\n'
  return [
    { ...dir('tmp'), mode: 0o1777 },
    text('tmp/source.tar.gz', filler('source', 700_000)),
    {
      ...text('tmp/deploy_key', `-----BEGIN OPENSSH PRIVATE KEY-----\n${key}-----END OPENSSH PRIVATE KEY-----\n`),
      mode: 0o600,
    },
  ]
}

function cleanUp(): StoryEntry[] {
  return [{ ...dir('tmp'), mode: 0o1777 }, text('tmp/.wh.source.tar.gz', ''), text('tmp/.wh.deploy_key', '')]
}

function newCache(): StoryEntry[] {
  const owned = (entry: StoryEntry) => ({ ...entry, owner: 1000 })
  return [dir('srv'), owned(dir('srv/app')), owned(dir('srv/app/cache')), text('srv/app/cache/.wh..wh..opq', '')]
}

function appFiles(): StoryEntry[] {
  return [
    dir('srv/app'),
    dir('srv/app/cache'),
    text('srv/app/cache/build.bin', filler('cache', 400_000)),
    dir('srv/app/lib'),
    ...['http', 'router', 'store', 'views'].map(name => text(`srv/app/lib/${name}.js`, filler(name, 45_000))),
    text('srv/app/package.json', '{\n  "name": "sample",\n  "version": "1.0.0"\n}\n'),
    dir('srv/app/public'),
    text('srv/app/public/app.js', filler('asset', 620_000)),
    text('srv/app/public/index.html', '<!doctype html>\n<title>sample</title>\n<script src="app.js"></script>\n'),
    { ...text('srv/app/server.sh', '#!/bin/sh\necho "listening on $APP_PORT"\nexec sleep 1000000\n'), mode: 0o755 },
  ]
}

function dir(path: string): StoryEntry {
  return { path, content: null }
}

function text(path: string, content: string): StoryEntry {
  return { path, content: Buffer.from(content) }
}

/** Lines of text that never repeat, cut to exactly `bytes`. */
function filler(word: string, bytes: number): string {
  const lines: string[] = []
  let state = word.length * 2654435761
  for (let length = 0; length < bytes; length += lines[lines.length - 1].length + 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    lines.push(`${word} ${lines.length + 1} ${state.toString(36)} ${Math.imul(state, 31) >>> 0}`)
  }
  return `${lines.join('\n')}\n`.slice(0, bytes)
}
