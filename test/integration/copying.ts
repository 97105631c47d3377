/** Shared by the tests of `coop cp`. */
import { expect } from 'bun:test'
import type { Scratch } from '../harness/sandbox.ts'
import { output } from './support.ts'

export const inside = async (t: Scratch, script: string): Promise<string> =>
  output(await t.coop(['exec', 'sh', '-c', script]))
export const cp = (t: Scratch, ...args: readonly string[]) => t.coop(['cp', ...args])

/** A copy that worked and printed nothing. */
export async function copied(t: Scratch, ...args: readonly string[]): Promise<void> {
  expect(await cp(t, ...args)).toMatchObject({ code: 0, stdout: '', stderr: '' })
}
