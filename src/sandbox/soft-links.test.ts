import { expect, test } from 'bun:test'
import { foldersTo, softLinks } from './soft-links.ts'

const made = (at: string, targets: readonly string[] = []) =>
  softLinks([{ at, to: '/x' }], targets).length === 1

test('folders above a path', () => {
  expect(foldersTo('/a/b/c')).toEqual(['/a', '/a/b'])
  expect(foldersTo('/a')).toEqual([])
})

test('a link is made neither in a mount nor in the place of a folder that leads to one', () => {
  expect(made('/a/b')).toBe(true)
  expect(made('/a/b', ['/a/bc'])).toBe(true)
  expect(made('/a/b', ['/a'])).toBe(false)
  expect(made('/a/b', ['/a/b'])).toBe(false)
  expect(made('/a', ['/a/b'])).toBe(false)
})

test('paths that no box can have are left out', () => {
  for (const at of ['', 'a', '/', '/a//b', '/a/../b', '/proc/x', '/dev/x', '/a\0', `/${'a'.repeat(256)}`])
    expect({ at, made: made(at) }).toEqual({ at, made: false })
  expect(made(`/${'é'.repeat(128)}`)).toBe(false)
  expect(made(`${'/abc'.repeat(1100)}`)).toBe(false)
})

test('a batch bears so many, whatever a box has written', () => {
  const many = Array.from({ length: 500 }, (_, index) => ({ at: `/w/${index}/.git`, to: '/x' }))
  expect(softLinks(many, [])).toHaveLength(99)
  expect(made('/a'.repeat(300))).toBe(false)
})
