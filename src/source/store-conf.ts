/** Where containers/storage is told to keep its images: storage.conf (containers-storage.conf(5)), as far as it says so. */
import { join } from 'node:path'
import { isMissing, readSmall } from './store-files.ts'

export interface StorageConf {
  driver: string | null
  graphRoot: string | null
  /** Where images are kept apart from containers (`imagestore`). */
  imageStore: string | null
  rootlessPath: string | null
  /** Image stores that are only read. */
  also: string[]
}

const nothing: StorageConf = { driver: null, graphRoot: null, imageStore: null, rootlessPath: null, also: [] }

/** The first of these files that there is; what can not be read counts as not there. */
export function readStorageConf(files: readonly string[], variables: Record<string, string>): StorageConf {
  for (const file of files) {
    try {
      return parseStorageConf(readSmall(file, 1 << 20).toString('utf8'), variables)
    } catch (error) {
      if (!isMissing(error)) return nothing
    }
  }
  return nothing
}

/** `variables` stand for `$HOME` and `$UID`. Only the keys that matter are understood, of TOML what such files use. */
export function parseStorageConf(text: string, variables: Record<string, string>): StorageConf {
  const plain = text.replace(/^\s*#.*$/gm, '').replace(/(["\]])\s*#[^"\n]*$/gm, '$1')
  const one = (key: string) => {
    const found = new RegExp(`^\\s*${key}\\s*=\\s*(?:"([^"\\n]*)"|'([^'\\n]*)')`, 'm').exec(plain)
    const value = expanded(found?.[1] ?? found?.[2] ?? '', variables)
    return value === '' ? null : value
  }
  const path = (key: string) => absolute(one(key))
  const list = /^\s*additionalimagestores\s*=\s*\[([^\]]*)\]/m.exec(plain)?.[1] ?? ''
  const also = Array.from(list.matchAll(/"([^"\n]*)"|'([^'\n]*)'/g), match =>
    absolute(expanded(match[1] ?? match[2]!, variables)),
  )
  return {
    driver: /^[a-z0-9-]{1,40}$/.test(one('driver') ?? '') ? one('driver') : null,
    graphRoot: path('graphroot'),
    imageStore: path('imagestore'),
    rootlessPath: path('rootless_storage_path'),
    also: also.filter(one => one !== null),
  }
}

function expanded(text: string, variables: Record<string, string>): string {
  return text.replace(/\$\{?([A-Z_]+)\}?/g, (whole, name: string) => variables[name] ?? whole)
}

function absolute(path: string | null): string | null {
  return path?.startsWith('/') ? join(path) : null
}
