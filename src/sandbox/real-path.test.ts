import { describe, expect, test } from 'bun:test'
import { realPath } from './real-path.ts'

const resolver =
  (links: Readonly<Record<string, string>>, writable: readonly string[] = []) =>
  (path: string, follow = true): string =>
    realPath(path, follow, { readLink: (at) => links[at], writable })

describe('links of the user’s', () => {
  const real = resolver({
    '/u/l': '/data/x',
    '/u/r': '../data',
    '/data/x/y': 'z',
    '/u/loop': 'loop',
    '/u/root': '/',
  })

  test('are followed, and with them those of their targets', () => {
    expect(real('/u/l')).toBe('/data/x')
    expect(real('/u/l/y/f')).toBe('/data/x/z/f')
    expect(real('/u/r/../f')).toBe('/f')
    expect(real('/u/r/x/y')).toBe('/data/x/z')
    expect(real('/u/root')).toBe('/')
    expect(real('/u/root/etc')).toBe('/etc')
  })

  test('stay links at the end of a path, unless a slash follows', () => {
    expect(real('/u/l', false)).toBe('/u/l')
    expect(real('/u/l/', false)).toBe('/data/x')
    expect(real('/u/l/.', false)).toBe('/data/x')
    expect(real('/u/r/x/y', false)).toBe('/data/x/y')
  })

  test('without end are refused', () => {
    expect(() => real('/u/loop')).toThrow('too many links')
  })

  test('need not be there', () => {
    expect(real('//a/./b/../c//')).toBe('/a/c')
    expect(real('/../../a')).toBe('/a')
    expect(real('/')).toBe('/')
  })
})

describe('links where a box writes', () => {
  const real = resolver(
    {
      '/w/in': 'sub/f',
      '/w/abs': '/w/sub',
      '/w/out': '/home/u/.ssh',
      '/w/up': '..',
      '/w/over': 'up/home',
      '/w/around': '../w/sub',
      '/w/twin': '/ww/x',
      '/u/w': '/w',
      '/u/deep': '/w/out/keys',
    },
    ['/w'],
  )

  test('lead about in it', () => {
    expect(real('/w/in')).toBe('/w/sub/f')
    expect(real('/w/abs/g')).toBe('/w/sub/g')
    expect(real('/w/around')).toBe('/w/sub')
    expect(real('/u/w/in')).toBe('/w/sub/f')
  })

  test('lead nowhere else, however one comes to them', () => {
    for (const path of [
      '/w/out',
      '/w/out/f',
      '/w/up/x',
      '/w/over',
      '/w/twin',
      '/u/w/out/f',
      '/u/deep',
      '/w/sub/../out',
    ])
      expect(() => real(path)).toThrow('leads out of /w')
  })

  test('may be copied as what they are', () => {
    expect(real('/w/out', false)).toBe('/w/out')
  })
})
