/** The volumes of an engine, whichever it is: the same records of all of them. */

export interface EngineVolume {
  name: string
  driver: string
  labels: Record<string, string>
  options: Record<string, string>
  /** On the engine's machine. */
  mountpoint: string
  /** ISO 8601, '' where the engine tells none. */
  created: string
  scope: string
  /** Names of the containers that have it; null where that was not asked for. */
  users: string[] | null
}

export interface VolumeSpec {
  /** None: the engine names it. */
  name?: string | undefined
  driver?: string | undefined
  options?: Record<string, string> | undefined
  labels?: Record<string, string> | undefined
}

/** docker's filters: of one kind any may hold, of every kind one must. */
export type VolumeFilters = Partial<Record<'dangling' | 'driver' | 'label' | 'name', string[]>>

export interface Volumes {
  list(filters?: VolumeFilters): Promise<EngineVolume[]>
  inspect(name: string): Promise<EngineVolume>
  /** Gives its name. One that is there stays as it is. */
  create(spec: VolumeSpec): Promise<string>
  /** Throws a Fault while a container has it. */
  remove(name: string, options?: { force?: boolean }): Promise<void>
  /** Those that no container has; gives their names, and the bytes that are free now, null when nobody knows. */
  prune(filters?: { label?: string[] }): Promise<{ names: string[]; bytes: number | null }>
}
