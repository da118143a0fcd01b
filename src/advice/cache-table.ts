/** Where package managers leave what nobody needs at run time, and how each is told not to. Data only. */

export interface CacheKind {
  rule: string
  /** What it is, as the subject of a sentence. */
  what: string
  /** Patterns of places.ts. */
  places: readonly string[]
  /** What to append to the step that fills it, or to write into it. */
  clean: string
  /** Where BuildKit would mount a cache. */
  mounts: readonly string[]
}

export const cacheKinds: readonly CacheKind[] = [
  {
    rule: 'apt-lists',
    what: 'Package lists of apt',
    places: ['/var/lib/apt/lists'],
    clean: '&& rm -rf /var/lib/apt/lists/*',
    mounts: ['/var/lib/apt,sharing=locked', '/var/cache/apt,sharing=locked'],
  },
  {
    rule: 'apt-archives',
    what: 'Downloaded packages of apt',
    places: ['/var/cache/apt'],
    clean: '&& apt-get clean',
    mounts: ['/var/cache/apt,sharing=locked', '/var/lib/apt,sharing=locked'],
  },
  {
    rule: 'apk-cache',
    what: 'The cache of apk',
    places: ['/var/cache/apk', '/etc/apk/cache'],
    clean: 'apk add --no-cache …',
    mounts: ['/var/cache/apk'],
  },
  {
    rule: 'dnf-cache',
    what: 'The cache of dnf or yum',
    places: ['/var/cache/dnf', '/var/cache/yum', '/var/cache/libdnf5'],
    clean: '&& dnf clean all',
    mounts: ['/var/cache/dnf'],
  },
  {
    rule: 'zypper-cache',
    what: 'The cache of zypper',
    places: ['/var/cache/zypp'],
    clean: '&& zypper clean --all',
    mounts: ['/var/cache/zypp'],
  },
  {
    rule: 'pacman-cache',
    what: 'The cache of pacman',
    places: ['/var/cache/pacman/pkg', '/var/lib/pacman/sync'],
    clean: '&& pacman -Scc --noconfirm',
    mounts: ['/var/cache/pacman/pkg'],
  },
  {
    rule: 'pip-cache',
    what: 'The cache of pip',
    places: ['.cache/pip'],
    clean: 'pip install --no-cache-dir …',
    mounts: ['/root/.cache/pip'],
  },
  {
    rule: 'uv-cache',
    what: 'The cache of uv or poetry',
    places: ['.cache/uv', '.cache/pypoetry'],
    clean: 'uv sync --no-cache …',
    mounts: ['/root/.cache/uv'],
  },
  {
    rule: 'conda-cache',
    what: 'The package cache of conda',
    places: ['conda/pkgs', 'miniconda3/pkgs', 'miniforge3/pkgs', 'anaconda3/pkgs'],
    clean: '&& conda clean --all --yes',
    mounts: ['/opt/conda/pkgs'],
  },
  {
    rule: 'npm-cache',
    what: 'The cache of npm',
    places: ['.npm/_cacache'],
    clean: '&& npm cache clean --force',
    mounts: ['/root/.npm'],
  },
  {
    rule: 'yarn-cache',
    what: 'The cache of yarn',
    places: ['/usr/local/share/.cache/yarn', '.cache/yarn', '.yarn/berry/cache'],
    clean: '&& yarn cache clean',
    mounts: ['/usr/local/share/.cache/yarn'],
  },
  {
    rule: 'pnpm-store',
    what: 'The store of pnpm',
    places: ['.local/share/pnpm/store', '.pnpm-store', '.cache/pnpm'],
    clean: '&& pnpm store prune',
    mounts: ['/root/.local/share/pnpm/store'],
  },
  {
    rule: 'go-cache',
    what: 'Build cache and modules of Go',
    places: ['.cache/go-build', 'go/pkg/mod'],
    clean: '&& go clean -cache -modcache',
    mounts: ['/root/.cache/go-build', '/go/pkg/mod'],
  },
  {
    rule: 'cargo-cache',
    what: 'Downloaded crates of cargo',
    places: ['.cargo/registry', '.cargo/git', '/usr/local/cargo/registry', '/usr/local/cargo/git'],
    clean: '&& rm -rf "$CARGO_HOME/registry" "$CARGO_HOME/git"',
    mounts: ['/usr/local/cargo/registry'],
  },
  {
    rule: 'maven-cache',
    what: 'The local repository of Maven or the caches of Gradle',
    places: ['.m2/repository', '.gradle/caches', '.gradle/wrapper/dists'],
    clean: '&& rm -rf ~/.m2/repository ~/.gradle',
    mounts: ['/root/.m2', '/root/.gradle'],
  },
  {
    rule: 'gem-cache',
    what: 'Downloaded gems',
    places: ['/usr/local/bundle/cache', 'ruby/gems/*/cache', '.bundle/cache'],
    clean: '&& rm -rf "$(gem env gemdir)/cache"',
    mounts: ['/usr/local/bundle/cache'],
  },
  {
    rule: 'composer-cache',
    what: 'The cache of Composer',
    places: ['.composer/cache', '.cache/composer'],
    clean: '&& composer clear-cache',
    mounts: ['/root/.composer/cache'],
  },
  {
    rule: 'nuget-cache',
    what: 'Downloaded packages of NuGet',
    places: ['.nuget/packages', '.local/share/NuGet'],
    clean: '&& dotnet nuget locals all --clear',
    mounts: ['/root/.nuget/packages'],
  },
]
