/**
 * What the native engine knows of a container: `container.json` in the container's folder. It is written by rename, so a
 * reader sees the old one or the new one; whether the container runs stands elsewhere (`states.ts`), for that changes by itself.
 */
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../../base/errors.ts'
import type { Digest } from '../../image/types.ts'
import type { NetworkPlan } from '../network/plan.ts'
import type { HealthCheck } from './health.ts'

export interface ContainerRecord {
  version: 1
  /** 64 hex digits. */
  id: string
  name: string
  /** As the person wrote it. */
  image: string
  imageId: Digest
  /** diffIDs of its layers, bottom first. */
  chain: Digest[]
  /** Directories of its layers, top first. */
  lower: string[]
  /** ISO 8601. */
  created: string
  entrypoint: string[]
  cmd: string[]
  env: string[]
  user: string
  workingDir: string
  hostname: string
  labels: Record<string, string>
  tty: boolean
  openStdin: boolean
  remove: boolean
  readOnly: boolean
  /** `none`, `host`, `bridge`, `pasta`, `slirp4netns`, `container:ID`. */
  network: string
  /** What else is said of it; absent in records of old. */
  networkPlan?: NetworkPlan | undefined
  /** What the person was told when it was made. */
  warnings?: string[] | undefined
  mounts: MountRecord[]
  /** Absent in records of old, as `health`. */
  restart?: { policy: 'on-failure' | 'always' | 'unless-stopped'; most: number } | null | undefined
  health?: HealthCheck | null | undefined
  memory: number | null
  cpus: number | null
  pidsLimit: number | null
  stopSignal: string | null
  /** Seconds. */
  stopTimeout: number | null
  /** The config of its image, for who commits it. */
  imageConfig: unknown
}

export interface MountRecord {
  kind: 'bind' | 'volume' | 'tmpfs'
  /** Of a volume. */
  name?: string | undefined
  /** A volume that nobody named: it goes with the container where that is asked for. */
  anonymous?: boolean | undefined
  source: string
  destination: string
  readOnly: boolean
}

/** Where a container keeps its things. */
export interface ContainerFolder {
  path: string
  record: string
  bundle: string
  upper: string
  work: string
  log: string
}

export function folderOf(containers: string, id: string): ContainerFolder {
  const path = join(containers, id)
  const inside = (name: string) => join(path, name)
  return {
    path,
    record: inside('container.json'),
    bundle: inside('bundle'),
    upper: inside('upper'),
    work: inside('work'),
    log: inside('log'),
  }
}

/** `flush`: on the disk before this returns. */
export function writeRecord(folder: ContainerFolder, record: ContainerRecord, { flush = true } = {}): void {
  const fresh = `${folder.record}.${process.pid}`
  writeFileSync(fresh, JSON.stringify(record), { mode: 0o600, flush })
  renameSync(fresh, folder.record)
}

/** null where there is no such container. Throws a Fault when its record can not be read. */
export function readRecord(containers: string, id: string): ContainerRecord | null {
  const { record } = folderOf(containers, id)
  try {
    return parseRecord(readFileSync(record, 'utf8'), record)
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

/** Every container, newest first. One whose record is broken is left out: `doctor` tells of it. */
export function allRecords(containers: string): ContainerRecord[] {
  const records = idsIn(containers).flatMap(id => {
    try {
      return readRecord(containers, id) ?? []
    } catch {
      return []
    }
  })
  return records.sort((a, b) => (a.created < b.created ? 1 : a.created > b.created ? -1 : 0))
}

/** The names in a folder that are ids; none where there is no such folder. */
export function idsIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter(isId)
  } catch {
    return []
  }
}

export function isId(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text)
}

/** Our own file in a folder of our own: enough is looked at to tell a broken one. */
function parseRecord(text: string, path: string): ContainerRecord {
  let record: ContainerRecord | null = null
  try {
    record = JSON.parse(text)
  } catch {}
  if (record?.version !== 1 || !isId(record.id) || typeof record.name !== 'string' || !Array.isArray(record.lower))
    throw new Fault(`The record of a container is damaged: ${path}.`, { hint: 'strata rm -f removes the container.' })
  return record
}

function isMissing(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'ENOENT'
}
