import { describe, expect, test } from 'bun:test'
import { aim, boxPath, parseRequest, parseSide, splitPath } from './copy-names.ts'

describe('a side', () => {
  test('is a box’s when a colon comes before any slash', () => {
    expect(parseSide('my-app:/tmp/x')).toEqual({ kind: 'box', box: 'my-app', path: '/tmp/x' })
    expect(parseSide('my-app:src')).toEqual({ kind: 'box', box: 'my-app', path: 'src' })
    expect(parseSide('my-app:')).toEqual({ kind: 'box', box: 'my-app', path: '' })
    expect(parseSide('my-app:a:b\nc')).toEqual({ kind: 'box', box: 'my-app', path: 'a:b\nc' })
    expect(parseSide(':/tmp')).toEqual({ kind: 'box', box: undefined, path: '/tmp' })
  })

  test('is the host’s otherwise', () => {
    for (const path of ['a', './a:b', '/a:b', 'a/b:c', '..'])
      expect(parseSide(path)).toEqual({ kind: 'host', path })
    expect(parseSide('-')).toEqual({ kind: 'stream' })
    expect(() => parseSide('')).toThrow('empty')
  })
})

test('exactly one side is in a box', () => {
  expect(parseRequest('a', 'b:c')).toMatchObject({ way: 'in', box: 'b', path: 'c' })
  expect(parseRequest(':c', '-')).toMatchObject({ way: 'out', path: 'c', to: { kind: 'stream' } })
  expect(() => parseRequest('a:b', 'c:d')).toThrow('both sides')
  expect(() => parseRequest('a', 'b')).toThrow('neither side')
  expect(() => parseRequest('-', '-')).toThrow('neither side')
})

test('a path of a box is absolute, of its home, or of its workspace', () => {
  const path = (text: string): string => boxPath(text, '/home/coop', '/project')
  expect(path('/etc/x')).toBe('/etc/x')
  expect(path('~')).toBe('/home/coop')
  expect(path('~/x')).toBe('/home/coop/x')
  expect(path('~x')).toBe('/project/~x')
  expect(path('a/b')).toBe('/project/a/b')
  expect(path('')).toBe('/project/')
})

test('a path is split into folder and name', () => {
  const split = (text: string) => Object.values(splitPath(text))
  expect(split('/a/b')).toEqual(['/a', 'b', false])
  expect(split('/a/b//')).toEqual(['/a', 'b', true])
  expect(split('/a')).toEqual(['/', 'a', false])
  expect(split('a')).toEqual(['.', 'a', false])
  expect(split('/a/...')).toEqual(['/a', '...', false])
  for (const path of ['/', '.', './', '..', '/a/.', '/a/..', 'a/../'])
    expect(split(path)).toEqual([path, undefined, true])
})

describe('the copy', () => {
  const to = (source: string, type: 'file' | 'folder' | 'link', target: string, there: string) =>
    aim({ path: source, type }, { path: target, named: target, type: there as 'file' })

  test('goes into a folder that is there, by its own name', () => {
    expect(to('/s/f', 'file', '/d', 'folder')).toEqual({ folder: '/d', name: 'f' })
    expect(to('/s/f', 'link', '/d/', 'folder')).toEqual({ folder: '/d/', name: 'f' })
    expect(to('/s/dir/', 'folder', '/d', 'folder')).toEqual({ folder: '/d', name: 'dir' })
  })

  test('of the contents of a folder goes into the folder itself', () => {
    expect(to('/s/.', 'folder', '/d', 'folder')).toEqual({ folder: '/d', name: undefined })
    expect(to('/', 'folder', '/d', 'folder')).toEqual({ folder: '/d', name: undefined })
    expect(to('/s/.', 'folder', '/d/new', 'missing')).toEqual({ folder: '/d', name: 'new' })
  })

  test('gets the name that is given', () => {
    expect(to('/s/f', 'file', '/d/g', 'missing')).toEqual({ folder: '/d', name: 'g' })
    expect(to('/s/f', 'file', '/d/g', 'file')).toEqual({ folder: '/d', name: 'g' })
    expect(to('/s', 'folder', '/d/g/', 'missing')).toEqual({ folder: '/d', name: 'g' })
  })

  test('is refused where it would not be what is meant', () => {
    expect(() => to('/s/f', 'file', '/d/g/', 'missing')).toThrow('there is no folder /d/g/')
    expect(() => to('/s/f', 'file', '/d/.', 'missing')).toThrow('there is no folder')
    expect(() => to('/s/f', 'file', '/d/g/', 'file')).toThrow('/d/g/ is not a folder')
    expect(() => to('/s', 'folder', '/d/g', 'file')).toThrow('the source is a folder')
    expect(() => to('/s/f', 'file', '/dev/null', 'device')).toThrow('does not replace')
    expect(() => to('/s/f', 'file', '/run/x', 'socket')).toThrow('does not replace')
  })
})
