import { expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { indexNames } from './git-index.ts'

function indexOf(version: string, format: string): { bytes: Buffer; names: string[] } {
  const top = mkdtempSync(join(tmpdir(), 'coop-index-'))
  const git = (...args: string[]): string => {
    const env = { PATH: process.env.PATH ?? '', HOME: top }
    const run = Bun.spawnSync(['git', ...args], { cwd: top, env })
    if (run.exitCode !== 0) throw new Error(run.stderr.toString())
    return run.stdout.toString()
  }
  try {
    git('init', '-q', `--object-format=${format}`)
    mkdirSync(join(top, 'a/deep'), { recursive: true })
    for (let i = 0; i < 60; i++) writeFileSync(join(top, i % 2 ? 'a/deep' : '.', 'x'.repeat(i + 1)), `${i}`)
    writeFileSync(join(top, 'later'), '')
    git('add', 'a', '.')
    git('rm', '-q', '--cached', 'later')
    git('add', '-N', 'later') // an entry with extended flags
    git('update-index', '--index-version', version)
    return {
      bytes: readFileSync(join(top, '.git/index')),
      names: git('ls-files', '-z').split('\0').filter(Boolean),
    }
  } finally {
    rmSync(top, { recursive: true, force: true })
  }
}

test.each([
  ['2', 'sha1'],
  ['3', 'sha1'],
  ['4', 'sha1'],
  ['4', 'sha256'],
])('names of an index of version %s with %s', (version, format) => {
  const { bytes, names } = indexOf(version, format)
  const found: string[] = []
  expect(indexNames(bytes, format === 'sha1' ? 20 : 32, (name) => found.push(name))).toBe(true)
  expect(found.toSorted()).toEqual(names.toSorted())
})

test('anything else is no index', () => {
  const { bytes } = indexOf('2', 'sha1')
  const none = (): void => {}
  expect(indexNames(Buffer.alloc(0), 20, none)).toBe(false)
  expect(indexNames(Buffer.from('DIRC'.repeat(10)), 20, none)).toBe(false)
  for (let cut = 12; cut < 600; cut += 7) expect(indexNames(bytes.subarray(0, cut), 20, none)).toBe(false)
})
