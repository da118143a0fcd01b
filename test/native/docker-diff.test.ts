/** A container of a real dockerd: after each operation `diff` and `watch` say what `docker diff` says. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../harness/command.ts'
import { buildImage, importBusybox } from '../harness/engine-images.ts'
import { startDocker, type TestEngine } from '../harness/engines.ts'
import { missingForEngines } from '../harness/needs.ts'
import { buildHelper, missingForNative, root } from './helper.ts'
import { diffOf, stormProgram, type Watcher, watch } from './watcher.ts'

/** In the middle layer what the bottom has is changed, in the top some of it is taken away. */
const dockerfile = `FROM busybox:storm
RUN mkdir -p /lower/dir/deep/er /lower/empty /lower/full/sub && \
  for f in a b c f g dir/x dir/y dir/deep/z dir/deep/er/w full/one full/two full/sub/three; do echo "$f" > /lower/$f; done && \
  ln -s a /lower/link && ln -s dir /lower/dirlink && ln /lower/a /lower/hard && mkfifo /lower/pipe && \
  mkdir -p /storm/data /storm/deep/a/b && for f in a data/a data/b deep/data deep/a/c deep/a/b/c; do echo text > /storm/$f; done && \
  touch -d @1000000000 /lower/a /lower/b /lower/dir/x && \
  for i in $(seq 100); do cp -a /lower /t$i; done
RUN for i in $(seq 100); do echo more >> /t$i/b; rm /t$i/g; rm -r /t$i/full; mkdir /t$i/full; echo new > /t$i/full/new; chmod 700 /t$i/empty; done
RUN for i in $(seq 100); do echo again > /t$i/g; rm /t$i/c; done
CMD ["sleep", "100000"]
`

/** Each runs in a tree of its own, in which nothing was changed. */
const operations = `true
echo x > new
mkdir new; echo x > new/in
mkdir -p new/deep/er
mkdir new; rmdir new
echo x > new; rm new
echo x > dir/new
echo x > dir/deep/er/new
ln -s nowhere new
ln -s a dir/new
mkfifo new
mknod new c 1 3
mknod new b 7 0
touch "a name" "b'c" 'd"e' '-f'
touch "$(printf 'tab\\there')"
touch .hidden ..twice
i=0; while [ $i -lt 200 ]; do echo $i > many-$i; i=$((i+1)); done
mkdir -p 1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20; echo x > 1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/x
echo x > a
echo x >> a
cat a > /dev/shm/copy; cat /dev/shm/copy > a
: > a
truncate -s 3 b
truncate -s 1000000 b
dd if=/dev/zero of=b bs=1 count=1 conv=notrunc 2>/dev/null
storm hole b
storm hole new
chmod 600 a
chmod 644 a
chmod 755 a; chmod 644 a
chmod u+s a
chmod 1777 dir
chmod 700 dir/deep
chmod 755 dir
chown 1000 a
chown 1000:1000 dir
chown 0:0 a
chown -h 5 link
touch a
touch -d @1000000000 a
touch dir
touch -h link
storm open a
storm open dir/x
echo | storm map b
storm note a
storm note dir
storm capable a
rm a
rm link
rm pipe
rm -r dir; mkdir -p dir/deep/er
rm -f hard
rm -r dir
rm -r dir/deep
rm -r full
rmdir empty
rm a b g f
rm dir/x dir/y
rm a; echo x > a
rm a; cp -a b a
rm g; echo back > g
echo back > c
mkdir c; echo x > c/in
rm -r dir; mkdir dir
rm -r dir; mkdir dir; echo x > dir/x
rm -r dir; mkdir dir; chmod 700 dir; mkdir -p dir/deep/er; echo x > dir/deep/er/w
rm -r full; mkdir full; echo x > full/one
rm a; mkdir a; echo x > a/in
rm -r dir; echo x > dir
rm -r dir; ln -s empty dir
rm link; mkdir link
mv a z
mv a b
mv a dir/a
mv a dir/x
mv dir other
mv dir/deep other
mv empty dir/empty
mv a z; mv z a
storm swap a b
storm swap a new || true
ln a second
ln a dir/second; echo x >> a
ln -sfn empty link
ln -f b a
cp -a dir copy`.split('\n')

const missing = missingForNative() ?? missingForEngines()

describe.skipIf(missing !== null)('docker diff', () => {
  let docker: TestEngine
  let watcher: Watcher
  let upper: string
  let lower: string[]
  let container: string

  beforeAll(async () => {
    buildHelper()
    docker = await startDocker()
    await importBusybox(docker)
    const storm = join(docker.scratch.path, 'storm')
    writeFileSync(storm, stormProgram(), { mode: 0o755 })
    const made = await docker.cli('create', 'busybox:test', 'x')
    await docker.cli('cp', storm, `${made}:/bin/storm`)
    await docker.cli('commit', made, 'busybox:storm')
    await buildImage(docker, { tag: 'diffed', builder: 'classic', dockerfile })
    container = await docker.cli('run', '-d', '--network=none', '--cap-add=SETFCAP', '--ipc=private', 'diffed')
    const where = JSON.parse(await docker.cli('inspect', '--format', '{{json .GraphDriver.Data}}', container))
    upper = where.UpperDir
    lower = where.LowerDir.split(':')
    watcher = await watch(root, lower, upper)
  })

  afterAll(async () => {
    await watcher?.end()
    await docker?.stop()
  })

  const inside = (script: string) => docker.cli('exec', container, 'sh', '-c', script)

  /** Sorted lines; docker replaces what is no text. */
  async function dockerDiff(): Promise<string[]> {
    return (await docker.cli('diff', container)).split('\n').filter(Boolean).sort()
  }

  async function agree(): Promise<void> {
    const expected = await dockerDiff()
    expect(await diffOf(root, lower, upper)).toEqual(expected)
    await until(() => JSON.stringify(watcher.letters()) === JSON.stringify(expected), {
      within: 5000,
      failure: () => `docker diff: ${expected.join(', ')}\nwatch: ${watcher.letters().join(', ')}`,
    })
  }

  test('at first there is nothing', agree)

  test.each(operations.map((operation, i) => [operation, i + 1] as const))('%s', async (operation, i) => {
    await inside(`cd /t${i} && { ${operation}; }`)
    await agree()
  })

  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])('random operations, seed %i', async seed => {
    await inside(`storm random ${seed} 150`)
    await agree()
  })

  test('`diff` of much that was copied up and little that was changed is a matter of milliseconds', async () => {
    const time = async (work: () => Promise<unknown>) => {
      const began = performance.now()
      await work()
      return performance.now() - began
    }
    const ours = await time(() => diffOf(root, lower, upper))
    expect(await time(dockerDiff)).toBeGreaterThan(ours)
  })

  test('the container is removed: watch ends by itself', async () => {
    await docker.cli('rm', '-f', container)
    await until(() => watcher.marks.some(mark => mark.gone))
    expect(watcher.letters()).toEqual([])
  })
})
