/** Waits until the test process that owns a scratch folder is gone, however it went, and then removes the folder. */
import { removeScratch } from './engine-scratch.ts'

process.stdin.on('close', () => removeScratch(process.argv[2]!)).resume()
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
