/** What of this machine and of the person's environment decides where engines are looked for. */
import { homedir } from 'node:os'
import process from 'node:process'
import type { Surroundings } from '../engine/endpoints.ts'

export function surroundings(): Surroundings {
  return { env: process.env, home: homedir(), uid: process.getuid?.() ?? null }
}
