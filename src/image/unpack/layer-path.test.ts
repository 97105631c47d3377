import { describe, expect, test } from 'bun:test'
import { planIds } from '../../sandbox/ids.ts'
import { ownerOf, xattrFate } from './layer-owner.ts'
import { layerPath, markOf } from './layer-path.ts'

describe('a name in a layer', () => {
  const paths: Record<string, string> = {
    a: 'a',
    './a/b/': 'a/b',
    '/etc/passwd': 'etc/passwd',
    '//a///./b': 'a/b',
    './': '',
    '.': '',
    '...': '...',
    'a..b/..c': 'a..b/..c',
  }
  for (const [name, path] of Object.entries(paths))
    test(name, () => {
      expect(layerPath(name)).toBe(path)
    })
  for (const name of ['..', '../a', 'a/..', 'a/../b', '/..', './../x', 'x'.repeat(5000)])
    test(`${name.slice(0, 10)} is refused`, () => {
      expect(() => layerPath(name)).toThrow(/in the layer/)
    })
})

test('marks for layers below', () => {
  expect(markOf('.wh.file')).toEqual({ kind: 'whiteout', hides: 'file' })
  expect(markOf('.wh..wh..opq')).toEqual({ kind: 'opaque' })
  expect(markOf('.wh..wh.plnk')).toEqual({ kind: 'ignored' })
  expect(markOf('.what')).toEqual({ kind: 'none' })
  for (const name of ['.wh.', '.wh..', '.wh...']) expect(() => markOf(name)).toThrow(/hides no file/)
})

describe('owners', () => {
  const facts = { uid: 1000, gid: 1000, userName: 'robin', hasNewuidmap: true }
  const range = planIds({ ...facts, subuid: 'robin:100000:65536', subgid: 'robin:100000:65536' })
  const single = planIds({ ...facts, subuid: '', subgid: '' })
  test('a range has those that images use', () => {
    expect(ownerOf(range, { uid: 33, gid: 65_535, mode: 0o6755 })).toEqual({
      uid: 33,
      gid: 65_535,
      mode: 0o6755,
      changed: false,
    })
  })
  test('an id that nobody has becomes root’s, and lends no rights of root', () => {
    expect(ownerOf(range, { uid: 70_000, gid: 0, mode: 0o4755 })).toEqual({
      uid: 0,
      gid: 0,
      mode: 0o755,
      changed: true,
    })
    expect(ownerOf(single, { uid: 0, gid: 42, mode: 0o6755 })).toEqual({
      uid: 0,
      gid: 0,
      mode: 0o4755,
      changed: true,
    })
  })
})

test('attributes that steer overlayfs never reach a layer', () => {
  for (const name of [
    'user.overlay.opaque',
    'user.overlay.redirect',
    'trusted.overlay.redirect',
    'trusted.x',
    'system.posix_acl_access',
  ])
    expect(xattrFate(name)).toBe('warn')
  expect(xattrFate('user.mime_type')).toBe('keep')
  expect(xattrFate('security.capability')).toBe('keep')
  expect(xattrFate('security.selinux')).toBe('skip')
})
