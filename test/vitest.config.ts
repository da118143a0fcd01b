import { defineConfig } from 'vitest/config'
import { missingForEngines } from './harness/needs.ts'

const missing = missingForEngines()
if (missing !== null) console.warn(`The tests with real engines are left out: ${missing}.`)

/**
 * Fast projects first; the ones that start real engines run alone, one file at a time. What waits for other programs on a
 * machine that does other things too gets a second try: a test that fails twice has failed.
 */
export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 30_000 } },
      { test: { name: 'screens', include: ['test/screens/**/*.test.{ts,tsx}'], testTimeout: 30_000, retry: 1 } },
      {
        test: {
          name: 'engines',
          include: missing === null ? ['test/engines/**/*.test.ts'] : [],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
          retry: 1,
        },
      },
      {
        test: {
          name: 'native',
          include: ['test/native/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 300_000,
          fileParallelism: false,
          retry: 1,
        },
      },
      {
        test: {
          name: 'newer-engines',
          include: ['test/newer-engines/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
          retry: 1,
        },
      },
    ],
  },
})
