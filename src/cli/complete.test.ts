import { describe, expect, test } from 'bun:test'
import type { Completion } from './common/declare.ts'
import { candidates } from './complete.ts'

/** Completes the words after `coop`, up to the cursor; existing things have the names of their kind. */
async function words(...line: string[]): Promise<string | string[]> {
  const found = await candidates(line, async (wanted: Completion) => [[`a-${wanted}`, '']])
  return typeof found === 'string' ? found : found.map(([word]) => word)
}

describe('completion', () => {
  test('begins with the commands', async () => {
    expect(await words('')).toContain('attach')
    expect(await words()).toContain('system')
  })

  test('offers sub-commands, and what the command itself takes', async () => {
    expect(await words('snapshot', '')).toEqual(['create', 'restore', 'ls', 'rm'])
    expect(await words('shell', '')).toEqual(['ls', 'attach', 'logs', 'kill', 'restart', 'a-box'])
  })

  test('offers names of the kind that an argument or option takes', async () => {
    expect(await words('kill', '')).toEqual(['a-box'])
    expect(await words('image', 'rm', 'x', '')).toEqual(['a-image'])
    expect(await words('exec', '-n', '')).toEqual(['a-box'])
    expect(await words('shell', 'kill', '')).toEqual(['a-shell'])
    expect(await words('completion', '')).toEqual(['bash', 'zsh', 'fish'])
  })

  test('offers options, also those of coop alone', async () => {
    expect(await words('kill', '--')).toEqual(['--all', '--force', '--help'])
    expect(await words('--')).toContain('--detach')
    expect(await words('-n', 'x', '--agent', '')).toEqual(['a-agent'])
  })

  test('leaves the words of a foreign command to the shell', async () => {
    expect(await words('run', 'ls', '-')).toBe(':files')
    expect(await words('run', 'ls', '')).toBe(':files')
  })

  test('has nothing for what there is not', async () => {
    expect(await words('no-such-command', '')).toEqual([])
    expect(await words('stop', 'one', '')).toEqual([])
  })
})
