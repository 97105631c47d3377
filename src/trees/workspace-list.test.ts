import { expect, test } from 'bun:test'
import { safeGit } from './git-process.ts'
import { isWorkPath, parseList } from './workspace-list.ts'

test('paths of git’s own, or that lead out, are none of the workspace’s', () => {
  for (const path of ['a', 'a/b.c', '.gitignore', 'x/.github/y', '...']) expect(isWorkPath(path)).toBe(true)
  for (const path of ['', '/a', 'a//b', '../a', 'a/../b', './a', '.git/config', 'sub/.GIT/x', 'nested/'])
    expect(isWorkPath(path)).toBe(false)
})

test('a list is bytes between NULs, each once', () => {
  expect(parseList(Buffer.from('b\0a\nc\0b\0nested/\0\0'))).toEqual({
    paths: ['b', 'a\nc'],
    nested: ['nested/'],
  })
  expect(parseList(Buffer.from([0xff, 0, 0x61, 0])).paths).toEqual(['ÿ', 'a'])
  expect(parseList(Buffer.alloc(0))).toEqual({ paths: [], nested: [] })
})

test('git gets no variable of the caller’s, and runs nothing', () => {
  const { env, options } = safeGit('/home/me')
  expect(Object.keys(env).filter((name) => !/^(GIT_|PATH$|HOME$|LC_ALL$)/.test(name))).toEqual([])
  expect(options).toContain('core.fsmonitor=false')
})
