import { expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { compilePattern, matches, namesOf, type Pattern } from './gitignore.ts'
import { BadGlob } from './glob.ts'

const NAMES = ['a', 'b', 'ab', 'aab', 'B', 'a.b', '.a', '-', 'a b', '[a]', 'a*', 'é', '#a', '!b']
const PIECES = [
  ...['a', 'b', 'B', '.', '*', '*', '**', '?', '/', '/', '!', '#', '-', ' ', '\\*', '\\[', '\\ ', 'é', '\\a'],
  ...[
    '[ab]',
    '[!a]',
    '[^b]',
    '[a-b]',
    '[[:alpha:]]',
    '[[:upper:]b]',
    '[]a]',
    '[a-]',
    '[\\]a]',
    '**/',
    '/**',
    '/**/',
  ],
]

/** Returns a repeatable random number below `most`. */
function dice(seed: number): (most: number) => number {
  let state = seed
  return (most) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * most)
  }
}

const git = (cwd: string, args: string[], input: string): string => {
  const run = Bun.spawnSync(['git', ...args], {
    cwd,
    stdin: Buffer.from(input),
    env: { PATH: process.env.PATH ?? '', HOME: cwd, GIT_CONFIG_NOSYSTEM: '1' },
  })
  if (run.exitCode > 1) throw new Error(run.stderr.toString())
  return run.stdout.toString()
}

/** A folder that git ignores takes everything in it along. */
function isIgnored(patterns: readonly Pattern[], path: string, isFolder: boolean): boolean {
  const parts = path.split('/')
  return parts.some((_part, index) => {
    const names = namesOf(parts.slice(0, index + 1))
    const last = patterns.findLast((one) => matches(one, names, isFolder || index < parts.length - 1))
    return last !== undefined && !last.negated
  })
}

test('random patterns decide about random paths as git does, with and without case', () => {
  const roll = dice(20261129)
  const pick = <T>(from: readonly T[]): T => from[roll(from.length)] as T
  const top = mkdtempSync(join(tmpdir(), 'coop-gitignore-'))
  try {
    git(top, ['init', '-q'], '')
    const paths = new Map<string, boolean>()
    for (let i = 0; i < 160; i++) {
      const path = Array.from({ length: 1 + roll(4) }, () => pick(NAMES)).join('/')
      const parents = path.split('/').map((_, at, all) => all.slice(0, at).join('/'))
      if (paths.has(path) || parents.some((parent) => paths.get(parent) === false)) continue
      for (const parent of parents.slice(1)) paths.set(parent, true)
      paths.set(path, roll(3) === 0)
      mkdirSync(join(top, paths.get(path) ? path : dirname(path)), { recursive: true })
      if (!paths.get(path)) writeFileSync(join(top, path), '')
    }
    const asked = [...paths.keys()]
    let [matched, compared] = [0, 0]
    for (let round = 0; round < 160; round++) {
      const ignoreCase = round % 2 === 1
      const compiled: Pattern[] = []
      const lines: string[] = []
      while (lines.length < 6) {
        const line = Array.from({ length: 1 + roll(6) }, () => pick(PIECES)).join('')
        try {
          // Git compares bytes: its "?" and sets do not take a letter beyond ASCII.
          if (/é/.test(line) && /[?[]/.test(line)) continue
          const pattern = compilePattern(line, () => ignoreCase)
          if (pattern) compiled.push(pattern)
          lines.push(line)
        } catch (error) {
          if (!(error instanceof BadGlob)) throw error // never matches in git
          lines.push(line)
        }
      }
      writeFileSync(join(top, '.gitignore'), `${lines.join('\n')}\n`)
      const args = ['-c', `core.ignorecase=${ignoreCase}`, 'check-ignore', '--no-index', '-z', '--stdin']
      const theirs = new Set(git(top, args, asked.map((path) => `${path}\0`).join('')).split('\0'))
      for (const path of asked) {
        if (/é/.test(path) && lines.some((line) => /[?[]/.test(line))) continue
        const mine = isIgnored(compiled, path, paths.get(path) === true)
        if (mine !== theirs.has(path))
          throw new Error(
            `${JSON.stringify(path)} by ${JSON.stringify(lines)}: ${mine}, ignore case: ${ignoreCase}`,
          )
        compared++
        if (mine) matched++
      }
    }
    expect(compared).toBeGreaterThan(10_000)
    expect(matched).toBeGreaterThan(compared / 20)
    expect(matched).toBeLessThan((compared * 19) / 20)
  } finally {
    rmSync(top, { recursive: true, force: true })
  }
})

test('a pattern that could never match is a mistake', () => {
  const problem = (line: string): string => {
    try {
      compilePattern(line, () => true)
      return ''
    } catch (error) {
      return error instanceof BadGlob ? error.message : `${error}`
    }
  }
  expect(problem('a\\')).toBe('ends with a backslash')
  expect(problem('a[bc')).toBe('has "[" without "]"')
  expect(problem('[[:secret:]]')).toBe('has the unknown class [:secret:]')
  expect(problem('/')).toBe('names nothing')
  expect(problem('!')).toBe('names nothing')
})

test('a hostile pattern takes no long time', () => {
  const pattern = compilePattern(`${'*a'.repeat(60)}b`, () => true)
  const deep = compilePattern(`${'**/a*/'.repeat(40)}b`, () => true)
  const names = namesOf(Array.from({ length: 60 }, () => 'a'.repeat(250)))
  const start = performance.now()
  expect(pattern && matches(pattern, names, false)).toBe(false)
  expect(deep && matches(deep, names, false)).toBe(false)
  expect(performance.now() - start).toBeLessThan(500)
})
