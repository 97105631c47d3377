import { describe, expect, test } from 'bun:test'
import type { Completion } from './common/declare.ts'
import { candidates } from './complete.ts'

/** Completes the words after `coop`, up to the cursor; existing things have the names of their kind. */
async function words(...line: string[]): Promise<string | string[]> {
  const { words, paths } = await candidates(line, async (wanted: Completion) => ({
    words: [[`a-${wanted}`, '']],
  }))
  return paths && !words.length ? `:${paths}` : words.map(([word]) => word)
}

describe('completion', () => {
  test('begins with the commands', async () => {
    expect(await words('')).toContain('attach')
    expect(await words()).toContain('system')
  })

  test('offers sub-commands, and what the command itself takes', async () => {
    expect(await words('snapshot', '')).toEqual(['create', 'restore', 'undo', 'ls', 'rm'])
    expect(await words('shell', '')).toEqual(['ls', 'attach', 'logs', 'screen', 'kill', 'restart', 'a-box'])
  })

  test('offers names of the kind that an argument or option takes', async () => {
    expect(await words('kill', '')).toEqual(['a-box'])
    expect(await words('image', 'rm', 'x', '')).toEqual(['a-image'])
    expect(await words('exec', '-n', '')).toEqual(['a-box'])
    expect(await words('shell', 'kill', '')).toEqual(['a-shell'])
    expect(await words('completion', '')).toEqual(['bash', 'zsh', 'fish'])
  })

  test('offers commands and error codes to help', async () => {
    expect(await words('help', '')).toContain('snapshot')
    expect(await words('help', 'E_')).toContain('E_NO_BOX')
    expect(await words('help', 'snapshot', '')).toEqual([])
  })

  test('offers options, also those of coop alone', async () => {
    expect(await words('kill', '--')).toEqual(['--all', '--force', '--help'])
    expect(await words('--')).toContain('--detach')
    expect(await words('-n', 'x', '--agent', '')).toEqual(['a-agent'])
  })

  test('offers the values of an option also after an equals sign', async () => {
    expect(await words('run', '--network=')).toEqual(['--network=a-network'])
    expect(await words('exec', '--name=x')).toEqual(['--name=a-box'])
    expect(await words('--image=')).toEqual(['--image=a-image'])
    expect(await words('kill', '--all=')).toEqual([])
    expect(await words('kill', '--no-such=')).toEqual([])
  })

  test('offers boxes and files to a copy', async () => {
    expect(await words('cp', '')).toEqual(['a-place'])
    expect(await words('cp', 'a', 'b')).toEqual(['a-place'])
    expect(await words('cp', 'a', 'b', '')).toEqual([])
    const place = async (current: string) =>
      (await candidates(['cp', current], async () => ({ words: [], paths: 'files' }))).paths
    expect(await Promise.all(['', './a:b', 'a', 'box:', ':/tm', 'box:/tmp/'].map(place))).toEqual([
      'files',
      'files',
      'files',
      undefined,
      undefined,
      undefined,
    ])
  })

  test('leaves the words of a foreign command to the shell', async () => {
    expect(await words('run', 'ls', '-')).toBe(':files')
    expect(await words('run', 'ls', '')).toBe(':files')
    expect(await words('run', '--', 'ls', '--x=')).toBe(':files')
    expect(await words('exec', '--', '-')).toEqual(['a-command'])
  })

  test('has nothing for what there is not', async () => {
    expect(await words('no-such-command', '')).toEqual([])
    expect(await words('start', 'one', '')).toEqual([])
  })
})
