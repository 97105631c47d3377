import { expect, test } from 'bun:test'
import { posix } from 'node:path'
import { isAbsolute, join, normalize } from './posix-path.ts'

const PATHS = [
  '/',
  '/a',
  '/a/',
  '//a//b/',
  '/a/./b/../c',
  '/..',
  '/../a',
  'a',
  './a',
  'a/../..',
  '../a',
  '',
  '.',
  'a/.',
]

test.each(PATHS)('%j is normalized as node does it, but for a slash at the end', (path) => {
  expect(normalize(path)).toBe(posix.normalize(path).replace(/(?<=.)\/$/, ''))
  expect(isAbsolute(path)).toBe(posix.isAbsolute(path))
  expect(join('/x', path, 'y')).toBe(posix.join('/x', path, 'y'))
})
