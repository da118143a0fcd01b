/** Compilers and other tools of the build that are still there in the finished image. */
import { formatBytes } from '../base/sizes.ts'
import { Kind } from '../layer/entry.ts'
import { ABSENT } from '../layer/stack.ts'
import type { Advice } from './advise.ts'
import { type Context, stepName, stepsOfLayers } from './context.ts'
import { findPlaces, nameOf, sumBelow } from './places.ts'

/** Directories that hold nothing but what builds need. */
const toolPlaces = [
  '/usr/lib/gcc',
  '/usr/libexec/gcc',
  '/usr/lib/gcc-cross',
  '/usr/include',
  '/usr/lib/git-core',
  '/usr/libexec/git-core',
  '/usr/share/git-core',
  '/usr/local/rustup',
  '/usr/local/cargo',
  '.rustup',
  '.cargo',
  '/usr/local/go',
  '/usr/lib/go',
]

const binPlaces = ['/usr/bin', '/usr/local/bin', '/bin']

/** The tools that make it worth saying; the first group of a name is how it is called. */
const telling = /^(gcc|g\+\+|clang|clang\+\+|make|cmake|git|rustc|cargo|go)(?:-\d+(?:\.\d+)*)?$/

/** Everything that comes with them in a directory of programs. */
const tools =
  /^(?:(?:[\w]+-)+linux-(?:gnu|musl)\w*-.+|(?:gcc|g\+\+|cpp|c\+\+|cc|clang|clang\+\+|c89|c99)(?:-.+)?|(?:gcov|gcc|lto-dump|gfortran|ld|llvm|lldb).*|as|ar|nm|objdump|objcopy|ranlib|readelf|strip|gdb|make|gmake|cmake|ctest|cpack|ninja|meson|bison|flex|m4|autoconf|automake.*|libtool.*|git(?:-.+)?|hg|svn.*|rustc|rustup|cargo.*|rust-.+|go|gofmt)$/

/** One advice: which tools, what they and their parts weigh, in which steps they came. */
export function buildToolAdvice(context: Context): Advice[] {
  const found = findPlaces(context, [...toolPlaces, ...binPlaces])
  const programs: number[] = []
  const named = new Set<string>()
  for (const bin of binPlaces.flatMap(place => found.get(place) ?? [])) {
    for (const node of context.stack.tree.children(bin)) {
      const ref = context.current[node]!
      if (ref === ABSENT) continue
      const name = nameOf(context, node)
      if (!tools.test(name)) continue
      programs.push(node)
      const tool = telling.exec(name)?.[1]
      // A symbolic link may be what an alternative left; the program itself stands beside it under a longer name.
      if (tool && (ref < 0 || context.stack.kindOf(ref) !== Kind.dir)) named.add(tool)
    }
  }
  for (const [place, tool] of [
    ['/usr/local/go', 'go'],
    ['/usr/local/cargo', 'cargo'],
    ['.rustup', 'rustup'],
  ] as const) {
    if (found.has(place)) named.add(tool)
  }
  if (named.size === 0) return []
  const sum = sumBelow(context, [...programs, ...toolPlaces.flatMap(place => found.get(place) ?? [])])
  const layers = sum.layers()
  if (sum.bytes === 0) return []
  const list = [...named].sort()
  const inBase = sum.mainLayer() < context.baseLayers
  const where = inBase ? 'the base image' : stepName(context, sum.mainLayer())
  const stage = `build in a stage of its own (FROM … AS build) and COPY --from=build only the result`
  const purge = inBase ? 'start from a base without them' : 'install, build and remove them in one RUN'
  return [
    {
      rule: 'build-tools',
      title: `Build tools are left in the image: ${list.join(', ')}, ${formatBytes(sum.bytes)}, most of it from ${where}.`,
      bytes: sum.bytes,
      layers,
      fix: `Unless it builds at run time, ${stage}; or ${purge}.`,
      steps: stepsOfLayers(context, layers),
      paths: sum.paths(context),
      files: sum.files,
    },
  ]
}
