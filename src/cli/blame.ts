import type { Io } from './output.ts'
export async function blame(_io: Io, values: string[], options: Record<string, unknown>): Promise<undefined> {
  await _io.out.write(JSON.stringify([values, options]) + '\n')
  return
}
